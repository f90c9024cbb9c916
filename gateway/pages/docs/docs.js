if (window.SwaggerUIBundle) {
	document.getElementById('missing').remove();
	window.SwaggerUIBundle({
		url: '/openapi.json',
		dom_id: '#ui',
		deepLinking: true,
		docExpansion: 'list',
		persistAuthorization: false,
		tryItOutEnabled: true,
		validatorUrl: null,
	});
}
