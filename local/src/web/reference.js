// The API reference. What is typed into its filter is looked for in operations, not only in tags.
import { choose } from "/docs/people.js";

const text = (operation) =>
  ["path", "method"].map((part) => operation.get(part)).join(" ") +
  ["operationId", "summary", "description"].map((part) => ` ${operation.getIn(["operation", part]) ?? ""}`).join("");

const findsOperations = () => ({
  fn: {
    opsFilter: (tags, phrase) => {
      const isFound = (operation) => text(operation).toLowerCase().includes(phrase.toLowerCase());
      const found = tags.map((tag) => tag.set("operations", tag.get("operations").filter(isFound)));
      return found.filter((tag) => tag.get("operations").size > 0);
    },
  },
});

const ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#ui",
  validatorUrl: null,
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  plugins: [findsOperations],
  onComplete: () =>
    choose(document.getElementById("people"), (someone, isNew) => {
      if (someone) ui.preauthorizeApiKey("token", someone.token);
      else if (isNew) {
        // What persistAuthorization has kept.
        localStorage.removeItem("authorized");
        location.reload();
      }
    }),
});
