import static io.trino.testing.TestingSession.testSessionBuilder;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trino.plugin.memory.MemoryPlugin;
import io.trino.spi.type.TimeZoneKey;
import io.trino.sql.ExpressionFormatter;
import io.trino.sql.parser.SqlParser;
import io.trino.sql.tree.Delete;
import io.trino.sql.tree.Statement;
import io.trino.testing.StandaloneQueryRunner;
import io.trino.testing.MaterializedResult;
import io.trino.testing.MaterializedRow;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
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

  private TrinoForTests() {}

  public static void main(String[] catalogs) throws Exception {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.setOut(System.err); // What libraries print must not stand between the answers.
    StandaloneQueryRunner runner =
        new StandaloneQueryRunner(testSessionBuilder().setTimeZoneKey(TimeZoneKey.UTC_KEY).build());
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

  private static String answer(StandaloneQueryRunner runner, String sql) throws Exception {
    try {
      Statement statement = new SqlParser().createStatement(sql);
      return statement instanceof Delete delete ? delete(runner, delete) : table(runner.execute(sql));
    } catch (RuntimeException | AssertionError error) {
      return JSON.writeValueAsString(Map.of("error", String.valueOf(error.getMessage())));
    }
  }

  private static String delete(StandaloneQueryRunner runner, Delete delete) throws Exception {
    String name = tableName(delete);
    String copy = name.substring(0, name.length() - 1) + "_kept\"";
    String condition = delete.getWhere().map(ExpressionFormatter::formatExpression).orElse("true");
    runner.execute("CREATE TABLE " + copy + " AS SELECT * FROM " + name + " WHERE NOT coalesce((" + condition + "), false)");
    runner.execute("DROP TABLE " + name);
    runner.execute("ALTER TABLE " + copy + " RENAME TO " + name);
    return "{\"columns\":[],\"types\":[],\"rows\":[]}";
  }

  private static String tableName(Delete delete) {
    StringBuilder name = new StringBuilder();
    for (String part : delete.getTable().getName().getParts()) {
      name.append(name.length() == 0 ? "" : ".").append('"').append(part).append('"');
    }
    return name.toString();
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
