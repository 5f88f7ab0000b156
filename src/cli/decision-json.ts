import type { Decision, TablePlan } from '../domain/operation.ts';

/**
 * A decision as scripts get it: `operation` is the name, as in receipts; `options` what it takes.
 */
export function decisionJson(decision: Decision) {
  const { kind, operation, ...rest } = decision;
  if (operation === null) return { operation: kind, ...rest, options: null };
  const { kind: _kind, ...options } = operation;
  return { operation: kind, ...rest, options };
}

export function tablePlanJson(table: TablePlan) {
  return { ...table, decisions: table.decisions.map(decisionJson) };
}
