/**
 * Temporal's own metrics of this worker, gathered from updates that its SDK buffers, so that they
 * stand beside ours at one address. Labels differ from one update to the next of the same metric:
 * the text is therefore written here instead of through prom-client.
 */

/** One update as the SDK's `MetricsBuffer` gives it. */
export interface SdkUpdate {
  readonly metric: {
    readonly name: string;
    readonly kind: string;
    readonly description?: string;
  };
  /** Counters: what was added. Gauges and histograms: the value itself. */
  readonly value: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

export interface SdkMetrics {
  add(updates: Iterable<SdkUpdate>): void;
  render(): string;
}

/** Of all metrics together; what comes beyond is left out and counted. */
const SERIES_MAX = 2_000;
/** In seconds, as the SDK is asked to measure: from a local activity to a long statement. */
const BUCKETS = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 600, 3600];

interface Series {
  value: number;
  /** Of a histogram: how many values were within each bucket's bound; not yet added up. */
  readonly within: number[];
  count: number;
}

interface Family {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly series: Map<string, Series>;
}

const TYPES: Readonly<Record<string, Family['type']>> = {
  counter: 'counter',
  histogram: 'histogram',
  gauge: 'gauge',
  'up-down-counter': 'gauge',
};

export function createSdkMetrics(): SdkMetrics {
  const families = new Map<string, Family>();
  let seriesCount = 0;
  let leftOut = 0;
  const seriesOf = ({ metric, attributes }: SdkUpdate): Series | undefined => {
    const family = familyOf(families, metric);
    const labels = writeLabels(attributes);
    const known = family.series.get(labels);
    if (known !== undefined) return known;
    if (seriesCount >= SERIES_MAX) return undefined;
    const added = { value: 0, within: BUCKETS.map(() => 0), count: 0 };
    seriesCount += 1;
    family.series.set(labels, added);
    return added;
  };
  return {
    add: (updates) => {
      for (const update of updates) {
        const series = seriesOf(update);
        if (series === undefined) leftOut += 1;
        else addUpdate(series, update);
      }
    },
    render: () => {
      const lines = [...families].flatMap(([name, family]) => writeFamily(name, family));
      return [
        ...lines,
        '# HELP icewright_sdk_updates_left_out_total Updates of SDK metrics beyond the limit.',
        '# TYPE icewright_sdk_updates_left_out_total counter',
        `icewright_sdk_updates_left_out_total ${leftOut}`,
        '',
      ].join('\n');
    },
  };
}

function familyOf(families: Map<string, Family>, metric: SdkUpdate['metric']): Family {
  const known = families.get(metric.name);
  if (known !== undefined) return known;
  const type = TYPES[metric.kind] ?? 'gauge';
  const help = (metric.description || 'Of the Temporal SDK.').replace(/\s+/g, ' ');
  const family: Family = { type, help, series: new Map() };
  families.set(metric.name, family);
  return family;
}

function addUpdate(series: Series, { metric, value }: SdkUpdate): void {
  if (metric.kind === 'gauge') {
    series.value = value;
    return;
  }
  series.value += value;
  if (metric.kind !== 'histogram') return;
  series.count += 1;
  const bucket = BUCKETS.findIndex((bound) => value <= bound);
  if (bucket !== -1) series.within[bucket] = (series.within[bucket] ?? 0) + 1;
}

function writeFamily(name: string, { type, help, series }: Family): readonly string[] {
  const lines = [...series].flatMap(([labels, one]) =>
    type === 'histogram'
      ? writeHistogram(name, labels, one)
      : [`${name}${wrap(labels)} ${one.value}`],
  );
  return [`# HELP ${name} ${help.replaceAll('\\', '\\\\')}`, `# TYPE ${name} ${type}`, ...lines];
}

function writeHistogram(name: string, labels: string, series: Series): readonly string[] {
  const bucket = (bound: string) =>
    `${name}_bucket${wrap([labels, `le="${bound}"`].filter(Boolean).join(','))}`;
  let below = 0;
  const buckets = BUCKETS.map((bound, at) => {
    below += series.within[at] ?? 0;
    return `${bucket(String(bound))} ${below}`;
  });
  return [
    ...buckets,
    `${bucket('+Inf')} ${series.count}`,
    `${name}_sum${wrap(labels)} ${series.value}`,
    `${name}_count${wrap(labels)} ${series.count}`,
  ];
}

function wrap(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}

function writeLabels(attributes: SdkUpdate['attributes']): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name.replace(/\W/g, '_')}="${escapeLabel(String(value))}"`)
    .sort()
    .join(',');
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
