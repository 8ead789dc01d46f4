/** In which language a file is written, for its colours: by its name first, then by its type. */

/** Names of files, and endings of names, as highlight.js calls their languages. */
const BY_NAME = new Map(
  Object.entries({
    dockerfile: "bash",
    gnumakefile: "makefile",
    makefile: "makefile",
    bash: "bash",
    c: "c",
    cc: "cpp",
    cfg: "ini",
    conf: "ini",
    cpp: "cpp",
    cs: "csharp",
    css: "css",
    diff: "diff",
    go: "go",
    gql: "graphql",
    graphql: "graphql",
    h: "c",
    hpp: "cpp",
    htm: "xml",
    html: "xml",
    ini: "ini",
    java: "java",
    js: "javascript",
    json: "json",
    jsonl: "json",
    jsx: "javascript",
    kt: "kotlin",
    kts: "kotlin",
    less: "less",
    lua: "lua",
    m: "objectivec",
    markdown: "markdown",
    md: "markdown",
    mjs: "javascript",
    mk: "makefile",
    ndjson: "json",
    patch: "diff",
    php: "php",
    pl: "perl",
    plist: "xml",
    pm: "perl",
    py: "python",
    pyi: "python",
    r: "r",
    rb: "ruby",
    rs: "rust",
    scss: "scss",
    sh: "bash",
    sql: "sql",
    svg: "xml",
    swift: "swift",
    toml: "ini",
    ts: "typescript",
    tsx: "typescript",
    vb: "vbnet",
    wat: "wasm",
    xhtml: "xml",
    xml: "xml",
    xsl: "xml",
    yaml: "yaml",
    yml: "yaml",
    zsh: "bash",
  }),
);
const BY_TYPE = new Map(
  Object.entries({
    "application/javascript": "javascript",
    "application/json": "json",
    "application/sql": "sql",
    "application/toml": "ini",
    "application/x-ndjson": "json",
    "application/x-sh": "bash",
    "application/xml": "xml",
    "application/yaml": "yaml",
    "text/css": "css",
    "text/html": "xml",
    "text/javascript": "javascript",
    "text/markdown": "markdown",
    "text/x-c": "c",
    "text/x-python": "python",
    "text/xml": "xml",
  }),
);

/** The language, or null where the text is told no colours: it is never guessed. @param {Row} row */
export function languageOf(row) {
  const name = row.name.toLowerCase();
  const ending = name.slice(name.lastIndexOf(".") + 1);
  const type = (row.media_type ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  return BY_NAME.get(ending) ?? BY_TYPE.get(type) ?? null;
}

/** Whether a file is a log: its end is of interest, and it may grow. @param {Row} row */
export function isLog(row) {
  return /\.(log|out|err)$|(^|[._-])(log|syslog|messages)(\.\d+)?$/i.test(row.name);
}
