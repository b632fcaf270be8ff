import static io.trino.testing.TestingSession.testSessionBuilder;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trino.Session;
import io.trino.metadata.Metadata;
import io.trino.metadata.QualifiedObjectName;
import io.trino.plugin.memory.MemoryPlugin;
import io.trino.spi.connector.CatalogSchemaName;
import io.trino.spi.security.PrincipalType;
import io.trino.spi.security.TrinoPrincipal;
import io.trino.spi.type.TimeZoneKey;
import io.trino.sql.ExpressionFormatter;
import io.trino.sql.parser.SqlParser;
import io.trino.sql.tree.CreateSchema;
import io.trino.sql.tree.Delete;
import io.trino.sql.tree.Statement;
import io.trino.testing.LocalQueryRunner;
import io.trino.testing.MaterializedResult;
import io.trino.testing.MaterializedRow;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/**
 * Trino's own parser, analyzer, planner and operators, one process for a test run. Arguments: the names of catalogs,
 * each a memory connector. Each line in is a JSON object {"sql": ...}, each line out {"columns", "types", "rows"} or
 * {"error"}.
 *
 * The memory connector cannot delete, so a DELETE is parsed by Trino and its predicate, as Trino read it, decides which
 * rows stay: they are copied, the table is dropped, and the copy takes its name.
 */
public final class TrinoForTests {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String NOTHING = "{\"columns\":[],\"types\":[],\"rows\":[]}";

  private TrinoForTests() {}

  public static void main(String[] catalogs) throws Exception {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.setOut(System.err); // What libraries print must not stand between the answers.
    LocalQueryRunner runner =
        LocalQueryRunner.create(now());
    runner.installPlugin(new MemoryPlugin());
    for (String catalog : catalogs) {
      runner.createCatalog(catalog, "memory", Map.of());
    }
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    out.println("{\"ready\":true}");
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(answer(runner, JSON.readTree(line).get("sql").asText()));
    }
    System.exit(0);
  }

  /** A session of its own for each statement: current_timestamp is the start of its session. */
  private static Session now() {
    return testSessionBuilder().setTimeZoneKey(TimeZoneKey.UTC_KEY).setStart(Instant.now()).build();
  }

  private static String answer(LocalQueryRunner runner, String sql) throws Exception {
    try {
      Statement statement = new SqlParser().createStatement(sql);
      if (statement instanceof CreateSchema create) {
        createSchema(runner, create.getSchemaName().getParts());
        return NOTHING;
      }
      if (statement instanceof Delete delete) {
        delete(runner, delete);
        return NOTHING;
      }
      return table(runner.execute(now(), sql));
    } catch (RuntimeException | AssertionError error) {
      return JSON.writeValueAsString(Map.of("error", String.valueOf(error.getMessage())));
    }
  }

  /** The runner executes queries and what writes rows; other statements go to the connector directly. */
  private static void createSchema(LocalQueryRunner runner, List<String> name) {
    runner.inTransaction(
        session -> {
          runner
              .getMetadata()
              .createSchema(
                  session,
                  new CatalogSchemaName(name.get(0), name.get(1)),
                  Map.of(),
                  new TrinoPrincipal(PrincipalType.USER, session.getUser()));
          return null;
        });
  }

  private static void delete(LocalQueryRunner runner, Delete delete) {
    List<String> parts = delete.getTable().getName().getParts();
    QualifiedObjectName name = new QualifiedObjectName(parts.get(0), parts.get(1), parts.get(2));
    QualifiedObjectName copy = new QualifiedObjectName(parts.get(0), parts.get(1), parts.get(2) + "_kept");
    String condition = delete.getWhere().map(ExpressionFormatter::formatExpression).orElse("true");
    runner.execute(
        now(),
        "CREATE TABLE " + quoted(copy) + " AS SELECT * FROM " + quoted(name) + " WHERE NOT coalesce((" + condition + "), false)");
    runner.inTransaction(
        session -> {
          Metadata metadata = runner.getMetadata();
          metadata.dropTable(
              session, metadata.getTableHandle(session, name).orElseThrow(), name.asCatalogSchemaTableName());
          return null;
        });
    runner.inTransaction(
        session -> {
          Metadata metadata = runner.getMetadata();
          metadata.renameTable(
              session, metadata.getTableHandle(session, copy).orElseThrow(), copy.asCatalogSchemaTableName(), name);
          return null;
        });
  }

  private static String quoted(QualifiedObjectName name) {
    return '"' + name.getCatalogName() + "\".\"" + name.getSchemaName() + "\".\"" + name.getObjectName() + '"';
  }

  private static String table(MaterializedResult result) throws Exception {
    ObjectNode answer = JSON.createObjectNode();
    ArrayNode columns = answer.putArray("columns");
    result.getColumnNames().forEach(columns::add);
    ArrayNode types = answer.putArray("types");
    result.getTypes().forEach(type -> types.add(type.getDisplayName()));
    ArrayNode rows = answer.putArray("rows");
    for (MaterializedRow row : result.getMaterializedRows()) {
      ArrayNode values = rows.addArray();
      for (Object value : row.getFields()) {
        values.add(value == null ? null : text(value));
      }
    }
    return JSON.writeValueAsString(answer);
  }

  /** As Athena gives it back: every value is text. */
  private static String text(Object value) {
    return value instanceof byte[] bytes ? Base64.getEncoder().encodeToString(bytes) : value.toString();
  }
}
