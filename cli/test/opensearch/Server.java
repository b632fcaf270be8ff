import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.opensearch.common.settings.Settings;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

/** One node of OpenSearch from its libraries, without a distribution: Server HOME HTTP-PORT TRANSPORT-PORT. */
public class Server extends Node {
  Server(Settings settings, Path home) {
    super(
        InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home.resolve("config"), () -> "one"),
        List.of(Netty4Plugin.class),
        true);
  }

  public static void main(String[] words) throws Exception {
    Settings settings =
        Settings.builder()
            .put("path.home", words[0])
            .put("http.port", words[1])
            .put("transport.port", words[2])
            .put("network.host", "127.0.0.1")
            .put("discovery.type", "single-node")
            .put("node.name", "one")
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .build();
    new Server(settings, Path.of(words[0])).start();
    Thread.currentThread().join();
  }
}
