/** The transform half alone: `run` and `plan`. */
import { nightOf } from '../../domain/model/graph.ts';
import { type Command, stringValue } from '../command.ts';
import { performNight } from '../night.ts';
import { readConcurrency } from './nightly.ts';

export const transformRun: Command = {
  name: 'transform run',
  summary: 'Runs models in the order of their graph; no maintenance.',
  usage: '[model …] [options]',
  options: { concurrency: { type: 'string' } },
  help: { concurrency: 'models under way at once (default 4)' },
  examples: ['icewright transform run', 'icewright transform run silver.orders+ --json'],
  positionals: { min: 0, max: 1000 },
  run: async ({ positionals, values, session, terminal }) =>
    performNight(session, terminal, {
      workflow: 'transformRun',
      models: positionals,
      maintenance: false,
      concurrency: readConcurrency(values.concurrency),
    }),
};

export const transformPlan: Command = {
  name: 'transform plan',
  summary: 'Shows the models in the order in which they would run, and what each waits for.',
  usage: '[model …]',
  options: { select: { type: 'string' } },
  help: { select: 'the same as naming models, separated by commas' },
  examples: ['icewright transform plan', 'icewright transform plan +gold.daily_revenue'],
  positionals: { min: 0, max: 1000 },
  run: async ({ positionals, values, session, terminal }) => {
    const models = await (await session.project()).models();
    const selected = stringValue(values, 'select')?.split(',') ?? [];
    const night = nightOf(models, [...positionals, ...selected]);
    const byName = new Map(models.map((model) => [model.name, model]));
    terminal.table(
      ['model', 'engine', 'materialization', 'reads', 'after'],
      night.map(({ model, engine, after }) => {
        const found = byName.get(model);
        const reads = [...(found?.inputs ?? []), ...(found?.sources ?? [])];
        return [model, engine, found?.materialization ?? '', reads.join(', '), after.join(', ')];
      }),
    );
    const json = night.map((one) => {
      const found = byName.get(one.model);
      return {
        ...one,
        materialization: found?.materialization,
        inputs: found?.inputs,
        sources: found?.sources,
        file: found?.file,
      };
    });
    return { json: { models: json } };
  },
};
