/** JSON lines on stderr, for the worker and the SDK alike. Never given personal data or secrets. */

export type LogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
export type LogMeta = Record<string | symbol, unknown>;

function write(level: LogLevel, message: string, meta?: LogMeta): void {
  const line = { time: new Date().toISOString(), level, message, ...meta };
  process.stderr.write(`${JSON.stringify(line, plain)}\n`);
}

/** bigint as text, errors as their message and stack. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Error) return { message: value.message, stack: value.stack };
  return value;
}

/** Fits the SDK's `Logger`. Levels below INFO are dropped. */
export const log = {
  log: (level: LogLevel, message: string, meta?: LogMeta) => {
    if (level !== 'TRACE' && level !== 'DEBUG') write(level, message, meta);
  },
  trace: (_message: string, _meta?: LogMeta) => {},
  debug: (_message: string, _meta?: LogMeta) => {},
  info: (message: string, meta?: LogMeta) => write('INFO', message, meta),
  warn: (message: string, meta?: LogMeta) => write('WARN', message, meta),
  error: (message: string, meta?: LogMeta) => write('ERROR', message, meta),
};
