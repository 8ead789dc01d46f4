import js from "@eslint/js";
import globals from "globals";

const MARKUP = "A stranger's text would become markup: render it by lit-html, or as a text node.";

export default [
  { ignores: ["**/vendor/**", "**/node_modules/**", ".venv/**", "**/*.d.ts"] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "array-callback-return": "error",
      complexity: ["error", 12],
      curly: ["error", "multi-line"],
      "default-case-last": "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
      "func-style": ["error", "declaration", { allowArrowFunctions: true }],
      "max-lines": ["error", 350],
      "max-lines-per-function": ["error", 60],
      "max-params": ["error", 4],
      "no-console": "error",
      "no-else-return": "error",
      "no-eval": "error",
      "no-implicit-coercion": "error",
      "no-implied-eval": "error",
      "no-lonely-if": "error",
      "no-new-func": "error",
      "no-param-reassign": "error",
      "no-restricted-imports": [
        "error",
        { patterns: [{ group: ["**/unsafe-html.js", "**/unsafe-svg.js"], message: MARKUP }] },
      ],
      "no-restricted-properties": [
        "error",
        ...["innerHTML", "outerHTML", "insertAdjacentHTML", "setHTMLUnsafe", "srcdoc"].map((property) => ({
          property,
          message: MARKUP,
        })),
        { object: "document", property: "write", message: MARKUP },
      ],
      "no-self-compare": "error",
      "no-shadow": "error",
      "no-throw-literal": "error",
      "no-unneeded-ternary": "error",
      "no-unused-vars": ["error", { args: "after-used", argsIgnorePattern: "^_", caughtErrors: "none" }],
      "no-use-before-define": ["error", { functions: false, classes: false, variables: false }],
      "no-useless-return": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-template": "error",
      yoda: "error",
    },
  },
  { files: ["fileserver/web/static/**/*.js"], languageOptions: { globals: globals.browser } },
  { files: ["fileserver/web/static/**/*.worker.js"], languageOptions: { globals: globals.worker } },
  {
    files: ["fileserver/web/static/docs.js"],
    languageOptions: { sourceType: "script", globals: { SwaggerUIBundle: "readonly" } },
  },
  { files: ["tests/journeys/media_page/*.js"], languageOptions: { globals: globals.browser } },
  { files: ["**/*.mjs", "*.config.js"], languageOptions: { globals: globals.node } },
];
