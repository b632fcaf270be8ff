"""What `cdk bootstrap` makes: a bucket and a repository. Bucket policies are recorded only: moto 5.2.5 ignores their
conditions, and the bootstrap bucket's deny-unless-TLS would refuse every upload."""

from __future__ import annotations

from typing import Any

from .base import Context, Handler, Recorded, fit, handles


@handles("AWS::S3::Bucket")
class Bucket(Handler):
    updatable = {
        "AccessControl",
        "BucketEncryption",
        "LifecycleConfiguration",
        "OwnershipControls",
        "PublicAccessBlockConfiguration",
        "VersioningConfiguration",
        "Tags",
    }

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("s3")
        name = properties.get("BucketName") or context.name(63).lower()
        place = {} if context.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": context.region}}
        client.create_bucket(Bucket=name, **place)
        self.change(context, name, {}, properties, set())
        return name, {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{context.region}.amazonaws.com",
        }

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        client = context.client("s3")
        if "VersioningConfiguration" in new:
            client.put_bucket_versioning(Bucket=physical_id, VersioningConfiguration=new["VersioningConfiguration"])
        if "PublicAccessBlockConfiguration" in new:
            client.put_public_access_block(
                Bucket=physical_id,
                PublicAccessBlockConfiguration=fit(
                    client, "PutPublicAccessBlock", {"PublicAccessBlockConfiguration": new["PublicAccessBlockConfiguration"]}
                )["PublicAccessBlockConfiguration"],
            )

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("s3").delete_bucket(Bucket=physical_id)


@handles("AWS::S3::BucketPolicy")
class BucketPolicy(Recorded):
    pass


@handles("AWS::ECR::Repository")
class Repository(Handler):
    updatable = {"LifecyclePolicy", "RepositoryPolicyText", "ImageScanningConfiguration"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = properties.get("RepositoryName") or context.name(256).lower()
        made = context.client("ecr").create_repository(repositoryName=name)["repository"]
        return name, {"Arn": made["repositoryArn"], "RepositoryUri": made["repositoryUri"]}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        """Nothing is pushed to it here; a policy has no effect."""

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("ecr").delete_repository(repositoryName=physical_id, force=True)
