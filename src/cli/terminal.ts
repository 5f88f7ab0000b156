/** Prose, tables and progress. With `--json` the result alone goes to stdout, prose to stderr. */

export interface Terminal {
  readonly json: boolean;
  /** A line of the answer for people. */
  print(line?: string): void;
  /** A line beside the answer: always stderr. */
  note(line: string): void;
  /** Replaces the last progress line on a terminal; a plain line, when it changed, elsewhere. */
  progress(line: string): void;
  /** Begins a new page: on a terminal in place of the last one, elsewhere after an empty line. */
  redraw(): void;
  /** Columns aligned, numbers (marked `>`) to the right. */
  table(headings: readonly string[], rows: readonly (readonly string[])[]): void;
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
}

/** Without a terminal a log is read later: a line now and then is enough. */
const PLAIN_PROGRESS_MS = 2_000;

export function createTerminal(json: boolean): Terminal {
  const stream = json ? process.stderr : process.stdout;
  const live = process.stderr.isTTY === true;
  const colours = stream.isTTY === true && process.env.NO_COLOR === undefined;
  const style = (code: number) => (text: string) =>
    colours ? `\u001b[${code}m${text}\u001b[0m` : text;
  let shown = '';
  let shownAtMs = 0;
  const clear = () => {
    if (live && shown !== '') process.stderr.write('\r\u001b[K');
    shown = '';
  };
  const print = (line = '') => {
    clear();
    stream.write(`${line}\n`);
  };
  return {
    json,
    print,
    note: (line) => {
      clear();
      process.stderr.write(`${line}\n`);
    },
    progress: (line) => {
      if (line === shown) return;
      if (!live && (line === '' || Date.now() - shownAtMs < PLAIN_PROGRESS_MS)) return;
      const width = (process.stderr.columns ?? 80) - 1;
      process.stderr.write(live ? `\r\u001b[K${line.slice(0, width)}` : `${line}\n`);
      shown = line;
      shownAtMs = Date.now();
    },
    redraw: () => {
      clear();
      stream.write(stream.isTTY === true ? '\u001b[H\u001b[2J\u001b[3J' : '\n');
    },
    table: (headings, rows) => {
      for (const line of alignColumns(headings, rows)) print(line);
    },
    bold: style(1),
    dim: style(2),
    red: style(31),
    yellow: style(33),
  };
}

/** A heading that begins with `>` is right-aligned; the mark is not printed. */
export function alignColumns(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const right = headings.map((heading) => heading.startsWith('>'));
  const titles = headings.map((heading) => heading.replace(/^>/, ''));
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return right[column] ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [line(titles), ...rows.map(line)];
}
