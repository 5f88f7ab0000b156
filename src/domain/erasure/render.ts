/** Markup for a certificate: Markdown, and one page of HTML that needs nothing else to be shown. */
import { assertNever } from '../errors.ts';
import type { SignedCertificate } from './certificate.ts';
import { type Block, describeCertificate } from './report.ts';

export function renderMarkdown(signed: SignedCertificate): string {
  return `${describeCertificate(signed).map(markdownOf).join('\n\n')}\n`;
}

/** Prints well; loads nothing, runs nothing. */
export function renderHtml(signed: SignedCertificate): string {
  const { certificateId } = signed.certificate;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>Certificate of erasure ${html(certificateId)}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    ...describeCertificate(signed).map(htmlOf),
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function markdownOf(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `${'#'.repeat(block.level)} ${markdown(block.text)}`;
    case 'text':
      return markdown(block.text);
    case 'facts':
      return block.rows.map(([name, value]) => `- ${name}: ${markdown(value)}`).join('\n');
    case 'code':
      return `    ${oneLine(block.text)}`;
    case 'table': {
      const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
      return [
        line(block.headings.map((one) => markdown(one.replace(/^>/, '')))),
        line(block.headings.map((one) => (one.startsWith('>') ? '---:' : '---'))),
        ...block.rows.map((row) => line(row.map(markdown))),
      ].join('\n');
    }
    default:
      return assertNever(block);
  }
}

function htmlOf(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `<h${block.level}>${html(block.text)}</h${block.level}>`;
    case 'text':
      return `<p>${html(block.text)}</p>`;
    case 'code':
      return `<pre>${html(block.text)}</pre>`;
    case 'facts': {
      const rows = block.rows.map(
        ([name, value]) => `<dt>${html(name)}</dt><dd>${html(value)}</dd>`,
      );
      return `<dl>${rows.join('\n')}</dl>`;
    }
    case 'table': {
      const { headings, rows } = block;
      const isNumber = headings.map((one) => one.startsWith('>'));
      const titles = headings.map((one) => one.replace(/^>/, ''));
      const cells = (tag: 'th' | 'td', row: readonly string[]) =>
        row.map((text, at) => `<${tag}${isNumber[at] ? ' class="n"' : ''}>${html(text)}</${tag}>`);
      const body = rows.map((row) => `<tr>${cells('td', row).join('')}</tr>`);
      const head = `<thead><tr>${cells('th', titles).join('')}</tr></thead>`;
      return `<table>${head}\n<tbody>${body.join('\n')}</tbody></table>`;
    }
    default:
      return assertNever(block);
  }
}

/** Nothing of a text can become markup, end a line or a cell. */
function markdown(text: string): string {
  return oneLine(text).replace(/[\\`*_[\]<>|#~&]/g, '\\$&');
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function html(text: string): string {
  return text.replace(/[&<>"']/g, (one) => ENTITIES[one] as string);
}

const STYLE = `
body { font: 11pt/1.4 serif; margin: 2cm auto; max-width: 26cm; padding: 0 1cm; color: #111 }
h1 { font-size: 18pt } h2 { font-size: 13pt; margin-top: 1.5em; break-after: avoid }
table { border-collapse: collapse; width: 100%; font-size: 9pt }
th, td { border-bottom: 1px solid #bbb; padding: .25em .5em; text-align: left; vertical-align: top }
.n { text-align: right } tr { break-inside: avoid } thead { display: table-header-group }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2em 1em }
dt { font-weight: bold } dd { margin: 0; overflow-wrap: anywhere }
td { overflow-wrap: anywhere } pre { background: #eee; padding: .5em }
@page { margin: 1.5cm } @media print { body { margin: 0; padding: 0; max-width: none } }
`;
