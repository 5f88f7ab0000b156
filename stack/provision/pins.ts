/** The versions of everything that the stack is made of: stack/pins.json, typed. */
import pins from '../pins.json' with { type: 'json' };

export type Pins = typeof pins;

/** One source for the embedded stack, docker-compose.yml and the documentation. */
export const PINS: Pins = pins;

/**
 * What Maven is told on its command line, by part: the POMs' properties, above their own values.
 */
export function mavenProperties({ spark, catalog, trino }: Pins) {
  return {
    trino: { 'trino.version': trino.version },
    spark: {
      'spark.version': spark.version,
      'spark.line': spark.line,
      'scala.line': spark.scala,
      'spark.mllib.version': spark.mllib,
      'iceberg.version': spark.iceberg,
    },
    catalog: {
      'iceberg.version': catalog.version,
      'jetty.version': catalog.jetty,
      'hadoop.version': catalog.hadoop,
      'postgresql.version': catalog.postgresqlDriver,
      'slf4j.version': catalog.slf4j,
    },
  } as const;
}
