// The first example of the README, which jsii-rosetta translates wrongly to Java (it reads getters as fields).
import io.github.efsdatalayer.EfsDataLayer;
import software.amazon.awscdk.App;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.ecs.Cluster;

public class Chat {
    public static void main(final String[] args) {
        App app = new App();
        Stack stack = new Stack(app, "Chat");
        EfsDataLayer data = new EfsDataLayer(stack, "DataLayer");
        Cluster cluster = Cluster.Builder.create(stack, "Cluster").vpc(data.getVpc()).build();
        data.getOpenWebUi().runOn(cluster); // a service that cannot run two writers
        data.getKnowledge().runOn(cluster); // the Chroma server, http://chroma:8000 by Service Connect
        app.synth();
    }
}
