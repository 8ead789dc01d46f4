"use strict";

// Show the OpenAPI document that the page names, light or dark as the reader's system is.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

SwaggerUIBundle({
  url: document.getElementById("docs").dataset.openapi,
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null, // else the document would be sent to a validator on the internet
  defaultModelsExpandDepth: 0,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});
