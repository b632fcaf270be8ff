// The first example of the README, which jsii-rosetta translates wrongly to Go (it reads getters as fields).
package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/jsii-runtime-go"
	"github.com/efs-data-layer/efs-data-layer-go/efsdatalayer"
)

func main() {
	defer jsii.Close()

	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Chat"), nil)
	data := efsdatalayer.NewEfsDataLayer(stack, jsii.String("DataLayer"), nil)
	cluster := awsecs.NewCluster(stack, jsii.String("Cluster"), &awsecs.ClusterProps{Vpc: data.Vpc()})
	data.OpenWebUi().RunOn(cluster, nil) // a service that cannot run two writers
	data.Knowledge().RunOn(cluster, nil) // the Chroma server, http://chroma:8000 by Service Connect

	app.Synth(nil)
}
