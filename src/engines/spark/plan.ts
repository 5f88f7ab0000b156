import type { Statement } from '../../domain/engine.ts';
import type { Plan, Relation } from './messages.ts';

/**
 * Statements whose rows are streamed as the plan's own result. `CALL` is among them: its output row
 * is wanted. All others run as a command: Spark evaluates it at once, exactly one time, and returns
 * its (short) result inside the answer. Nothing breaks when the first word misleads: Spark also
 * evaluates a command under `WITH` eagerly and once, and a query sent as a command comes back as a
 * relation, which `execution.ts` reports instead of losing rows in silence.
 */
const STREAMED = new Set(
  'SELECT WITH VALUES TABLE FROM CALL SHOW DESCRIBE DESC EXPLAIN MAP REDUCE'.split(' '),
);

/** First keyword in upper case, after comments and opening parentheses; `''` when there is none. */
export function firstKeyword(sql: string): string {
  const text = sql.replace(/^(?:\s+|\(|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/, '');
  return (/^[A-Za-z]+/.exec(text)?.[0] ?? '').toUpperCase();
}

/**
 * The plan of a statement.
 * @param mark a number of this call alone. Spark compares plans byte by byte: an `ExecutePlan`
 * with a known operation id attaches in silence when the plan is equal, and answers
 * `OPERATION_ALREADY_EXISTS` when it differs. With the mark in it, our own repetition of a lost
 * request attaches, and finding the execution of an earlier process is told to us, atomically and
 * without a question beforehand. `plan_id` is made for such a number and changes nothing else.
 */
export function buildPlan(statement: Statement, mark: number): Plan {
  const parameters = Object.entries(statement.parameters ?? {});
  const input: Relation = {
    common: { plan_id: mark },
    sql: {
      query: statement.sql,
      named_arguments: Object.fromEntries(
        parameters.map(([name, value]) => [name, { literal: { string: value } }]),
      ),
    },
  };
  if (STREAMED.has(firstKeyword(statement.sql))) return { root: input };
  return { command: { sql_command: { input } } };
}
