/** The ways out of the panel: a download, a file in the folder, a line for a shell. */

import { absolute, href, url } from "../core/api.js";
import { env } from "../core/env.js";
import { html, icon, nothing } from "../core/html.js";
import { notice } from "../core/notice.js";
import strings from "../../strings/table.js";
import { copyText } from "../core/clipboard.js";
import { jsonOf, parametersOf } from "./plan.js";
import { curlLine } from "./shell.js";
import { choiceField, shortChoice, textField } from "./steps/controls.js";
import { change, planFor } from "./transform.js";
import { startDownload, startStoring, workView } from "./work.js";

/** @typedef {import("./transform.js").Panel} Panel */

const FORMATS = {
  csv: "CSV",
  tsv: "TSV",
  ndjson: "NDJSON",
  json: "JSON",
  parquet: "Parquet",
  xlsx: "Excel",
  arrow: "Arrow",
};
const EXTENSIONS = { arrow: "arrows" };
const WRITTEN = ["csv", "tsv"]; // formats whose text has a form of its own

/** @param {Panel} panel @param {() => void} close */
export function outputView(panel, close) {
  const { format } = panel.wanted.output;
  const mayStore = env.mayWrite && !panel.work?.isRunning;
  const toggle = () => {
    panel.isMore = !panel.isMore;
    panel.update();
  };
  return html`<footer class="transform-out">
    ${workView(panel)} ${panel.isMore && WRITTEN.includes(format) ? optionsView(panel) : nothing}
    <div class="transform-ways">
      ${shortChoice(strings.format, format, FORMATS, (value) => change(panel, { output: { ...textOptions(panel, value), format: value } }))}
      <button
        class="icon-button"
        title=${strings.options}
        aria-label=${strings.options}
        aria-expanded=${panel.isMore}
        ?disabled=${!WRITTEN.includes(format)}
        @click=${toggle}
      >
        ${icon("sliders-horizontal")}
      </button>
      <span class="transform-gap"></span>
      ${
        env.mayWrite
          ? html`<button
              class="button"
              ?disabled=${!mayStore}
              @click=${() => startStoring(panel, resultName(panel), close)}
            >
              ${icon("save")} ${strings.store}
            </button>`
          : nothing
      }
      <button
        class="button main"
        ?disabled=${panel.work?.isRunning}
        @click=${() => startDownload(panel, resultName(panel))}
      >
        ${icon("download")} ${strings.download}
      </button>
    </div>
    ${curlView(panel)}
  </footer>`;
}

/** Options stay with formats that have them. @param {Panel} panel @param {string} format @returns {Record<string, string>} */
function textOptions({ wanted }, format) {
  return WRITTEN.includes(format) ? wanted.output : {};
}

/** @param {Panel} panel */
function optionsView(panel) {
  const { output } = panel.wanted;
  const set = (/** @type {string} */ name) => (/** @type {string} */ value) =>
    change(panel, { output: { ...output, [name]: value } }, `output ${name}`);
  const choice = (
    /** @type {string} */ name,
    /** @type {string} */ label,
    /** @type {Record<string, string>} */ options,
  ) => choiceField(label, output[name] ?? "", options, set(name));
  return html`<div class="transform-options">
    ${output.format === "csv" ? choice("delimiter", strings.delimiter, { "": strings.asInput, ",": strings.comma, ";": strings.semicolon, tab: strings.tab }) : nothing}
    ${choice("quote_style", strings.quoting, { "": strings.quoteNecessary, always: strings.quoteAlways, non_numeric: strings.quoteTexts })}
    ${choice("line_ending", strings.lineEnding, { "": strings.asInput, lf: "LF", crlf: "CRLF" })}
    ${choice("encoding", strings.encoding, { "": "UTF-8", "utf-16": "UTF-16", cp1252: "Windows-1252" })}
    ${choice("bom", strings.bom, { "": strings.no, true: strings.yes })}
    ${choice("header", strings.header, { "": strings.asInput, true: strings.yes, false: strings.no })}
    ${choice("formula_guard", strings.formulaGuard, { "": strings.no, quote: "'", tab: strings.tab })}
    ${textField(strings.nullValue, output.null_value ?? "", set("null_value"), { hint: strings.nothing })}
  </div>`;
}

/** The name of the file that the result is written to. @param {Panel} panel */
export function resultName({ name, wanted }) {
  const stem = name.replace(/\.(gz|zst)$/i, "").replace(/\.(csv|tsv|txt|tab)$/i, "");
  const { format } = wanted.output;
  return `${stem} ${strings.transformed}.${/** @type {Record<string, string>} */ (EXTENSIONS)[format] ?? format}`;
}

/** @param {Panel} panel */
function curlView(panel) {
  const line = curlOf(panel);
  const copy = async () => {
    const isDone = await copyText(line);
    notice(isDone ? strings.copied : strings.notCopied, { kind: isDone ? "info" : "error" });
  };
  return html`<div class="transform-curl">
    <code tabindex="0" role="region" aria-label=${strings.curl}>${line}</code>
    <button class="icon-button" title=${strings.copyCurl} aria-label=${strings.copyCurl} @click=${copy}>
      ${icon("copy")}
    </button>
  </div>`;
}

/** @param {Panel} panel */
export function curlOf(panel) {
  const plan = planFor(panel);
  const { row, file } = panel.table;
  const address = absolute(row ? href("transform", row.key) : url("/transform"));
  return curlLine({
    address,
    file: file?.name ?? null,
    parameters: parametersOf(plan),
    json: jsonOf(plan),
    output: resultName(panel),
  });
}
