/** What a file is for a person, by its media type: which module shows it, and which drawing stands for it. */

const TABLES = ["text/csv", "text/tab-separated-values", "application/vnd.apache.parquet"];
const TEXTS = [
  "json",
  "x-ndjson",
  "yaml",
  "toml",
  "xml",
  "javascript",
  "sql",
  "x-sh",
  "x-httpd-php",
  "rtf",
  "x-subrip",
];
const ARCHIVES = ["zip", "gzip", "x-tar", "x-xz", "x-7z-compressed"];
const SHOWN_TABLES = TABLES.slice(0, 2);

/** @param {Row} row @returns {"folder" | "picture" | "video" | "audio" | "pdf" | "table" | "text" | "other"} */
export function kindOf(row) {
  if (row.type === "folder") return "folder";
  const type = baseOf(row);
  const [family, name] = type.split("/");
  if (family === "image") return "picture";
  if (family === "video" || family === "audio") return family;
  if (type === "application/pdf") return "pdf";
  if (SHOWN_TABLES.includes(type)) return "table";
  return family === "text" || TEXTS.includes(name ?? "") || /\+(json|xml)$/.test(type) ? "text" : "other";
}

/** The name of the drawing: the same as `icon_of` of the server's pages. @param {Row} row */
export function iconOf(row) {
  if (row.type === "folder") return "folder";
  const type = baseOf(row);
  const [family, name] = type.split("/");
  if (TABLES.includes(type)) return "table";
  if (family === "application" && ARCHIVES.includes(name ?? "")) return "file-archive";
  if (family === "application" && [...TEXTS.slice(0, 4), "pdf"].includes(name ?? "")) return "file-text";
  return { image: "image", audio: "music", video: "film", text: "file-text" }[family ?? ""] ?? "file";
}

/** @param {Row} row */
function baseOf(row) {
  return (row.media_type ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}
