static const struct
{
	const char *feature;
	float		weight;
}			spam_default[] = {
	{"(bias)", -4},
};
