import java.util.HashMap;
import java.util.Map;
import org.apache.iceberg.DataFiles;
import org.apache.iceberg.DeleteFile;
import org.apache.iceberg.PartitionSpec;
import org.apache.iceberg.Schema;
import org.apache.iceberg.Table;
import org.apache.iceberg.catalog.TableIdentifier;
import org.apache.iceberg.data.GenericRecord;
import org.apache.iceberg.data.Record;
import org.apache.iceberg.data.parquet.GenericParquetWriter;
import org.apache.iceberg.deletes.EqualityDeleteWriter;
import org.apache.iceberg.parquet.Parquet;
import org.apache.iceberg.rest.RESTCatalog;

/**
 * Commits an equality delete, as Flink writes them and neither Spark nor Trino does, for tests.
 * Arguments: namespace.table, a column of type long, the value whose rows are deleted, and of a
 * partitioned table the partition (day=2026-01-01); without it, they are deleted in all of it.
 */
public class EqualityDelete {
  public static void main(String[] args) throws Exception {
    Map<String, String> settings = new HashMap<>();
    settings.put("uri", System.getenv("ICEWRIGHT_CATALOG_URL"));
    settings.put("token", System.getenv("ICEWRIGHT_CATALOG_TOKEN"));
    settings.put("io-impl", "org.apache.iceberg.aws.s3.S3FileIO");
    settings.put("s3.endpoint", System.getenv("ICEWRIGHT_S3_ENDPOINT"));
    settings.put("s3.access-key-id", System.getenv("ICEWRIGHT_S3_ACCESS_KEY_ID"));
    settings.put("s3.secret-access-key", System.getenv("ICEWRIGHT_S3_SECRET_ACCESS_KEY"));
    settings.put("s3.path-style-access", "true");
    settings.put("client.region", System.getenv("ICEWRIGHT_S3_REGION"));
    try (RESTCatalog catalog = new RESTCatalog()) {
      catalog.initialize("lake", settings);
      Table table = catalog.loadTable(TableIdentifier.parse(args[0]));
      Schema columns = table.schema().select(args[1]);
      String place = table.locationProvider().newDataLocation("equality-" + System.nanoTime() + ".parquet");
      PartitionSpec spec = args.length > 3 ? table.spec() : PartitionSpec.unpartitioned();
      EqualityDeleteWriter<Record> writer =
          Parquet.writeDeletes(table.io().newOutputFile(place))
              .createWriterFunc(GenericParquetWriter::create)
              .overwrite()
              .rowSchema(columns)
              .withSpec(spec)
              .withPartition(args.length > 3 ? DataFiles.data(spec, args[3]) : null)
              .equalityFieldIds(table.schema().findField(args[1]).fieldId())
              .buildEqualityWriter();
      try (writer) {
        GenericRecord row = GenericRecord.create(columns);
        row.setField(args[1], Long.parseLong(args[2]));
        writer.write(row);
      }
      DeleteFile file = writer.toDeleteFile();
      table.newRowDelta().addDeletes(file).commit();
    }
  }
}
