// SPDX-License-Identifier: Apache-2.0
// Keys typed into the page stay in its memory: nothing is persisted.
window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
