import * as fs from 'fs';
import * as path from 'path';

/** Text for HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Data for a script element: JSON that cannot end it. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(/</g, '\\u003c');
}

/** A library's browser build, for a page that works without a network. */
function bundled(packageName: string, file: string): string {
  let directory = path.dirname(require.resolve(packageName));
  while (!fs.existsSync(path.join(directory, file)) && directory !== path.dirname(directory)) {
    directory = path.dirname(directory);
  }
  return fs.readFileSync(path.join(directory, file), 'utf8').replace(/<\/script/gi, '<\\/script');
}

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #666; --accent: #0b6e99; font: 16px/1.5 system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { :root { --soft: #aaa; --accent: #5cc0e8; } }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0.2rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 0.4rem; }
p.soft, footer, caption, figcaption { color: var(--soft); font-size: 0.9rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; }
caption { text-align: left; padding-bottom: 0.4rem; }
th, td { text-align: left; padding: 0.3rem 0.6rem 0.3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.own { font-weight: 600; }
figure { margin: 1rem 0; break-inside: avoid; overflow-x: auto; }
figure svg { max-width: 100%; height: auto; background: none; overflow: visible; }
@media print { :root { color-scheme: light; --soft: #444; } body { margin: 0; max-width: none; font-size: 12px; } h2, caption { break-after: avoid; } tr { break-inside: avoid; } }
`;

/** A page of its own: no file beside it, nothing loaded when it is looked at. `script` sees Plot, d3 and `data`. */
export function htmlPage(title: string, body: string, data: unknown, script: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
<script>${bundled('d3', 'dist/d3.min.js')}</script>
<script>${bundled('@observablehq/plot', 'dist/plot.umd.min.js')}</script>
<script>const data = ${scriptJson(data)};
${script}</script>
</body>
</html>
`;
}
