// Makes ../static: the style sheets of pages and of paper, the script of the components, and ours.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import * as sass from "sass";

const target = new URL("../static/portal/", import.meta.url);
mkdirSync(target, { recursive: true });
for (const name of ["portal", "paper", "paper-screen"]) {
  const made = sass.compile(new URL(`${name}.scss`, import.meta.url).pathname, {
    loadPaths: [new URL("node_modules/govuk-frontend/dist/", import.meta.url).pathname],
    style: "compressed",
    quietDeps: true,
  });
  writeFileSync(new URL(`${name}.css`, target), made.css);
}
const scripts = new URL("node_modules/govuk-frontend/dist/govuk/", import.meta.url);
copyFileSync(new URL("govuk-frontend.min.js", scripts), new URL("govuk-frontend.min.js", target));
copyFileSync(new URL("portal.mjs", import.meta.url), new URL("portal.mjs", target));
