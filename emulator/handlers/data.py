"""Secrets Manager, S3 Vectors and ElastiCache. moto 5.2.5 has no serverless caches: they are recorded."""

from __future__ import annotations

import json
from typing import Any

from .base import Context, Handler, Recorded, fit, handles


@handles("AWS::SecretsManager::Secret")
class Secret(Handler):
    updatable = {"Description", "GenerateSecretString", "Tags"}

    @staticmethod
    def _text(context: Context, properties: dict[str, Any]) -> str:
        if "SecretString" in properties:
            return str(properties["SecretString"])
        asked = dict(properties["GenerateSecretString"])
        template, key = asked.pop("SecretStringTemplate", None), asked.pop("GenerateStringKey", None)
        client = context.client("secretsmanager")
        password = client.get_random_password(**fit(client, "GetRandomPassword", asked))["RandomPassword"]
        return json.dumps({**json.loads(template), key: password}) if template else password

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = context.client("secretsmanager").create_secret(
            Name=properties.get("Name") or context.name(64),
            Description=properties.get("Description", ""),
            SecretString=self._text(context, properties),
            Tags=context.all_tags(properties),
        )
        return made["ARN"], {"Id": made["ARN"]}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        client = context.client("secretsmanager")
        if "Description" in changed:
            client.update_secret(SecretId=physical_id, Description=new.get("Description", ""))
        if "GenerateSecretString" in changed:
            # CloudFormation writes a new value: what holds the old one is then locked out.
            client.put_secret_value(SecretId=physical_id, SecretString=self._text(context, new))
        if "Tags" in changed:
            gone = {tag["Key"] for tag in context.all_tags(old)} - {tag["Key"] for tag in context.all_tags(new)}
            client.untag_resource(SecretId=physical_id, TagKeys=sorted(gone))
            client.tag_resource(SecretId=physical_id, Tags=context.all_tags(new))

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("secretsmanager").delete_secret(SecretId=physical_id)


@handles("AWS::S3Vectors::VectorBucket")
class VectorBucket(Handler):
    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("s3vectors")
        name = properties["VectorBucketName"]
        encryption = {
            key[0].lower() + key[1:]: value for key, value in properties.get("EncryptionConfiguration", {}).items()
        }
        client.create_vector_bucket(vectorBucketName=name, encryptionConfiguration=encryption)
        arn = client.get_vector_bucket(vectorBucketName=name)["vectorBucket"]["vectorBucketArn"]
        return arn, {"VectorBucketArn": arn}

    # moto 5.2.5 keeps tags of a bucket, but its own call to change them is missing: they are not compared here.
    updatable = {"Tags"}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        """Tags only."""

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("s3vectors").delete_vector_bucket(vectorBucketArn=physical_id)


@handles("AWS::ElastiCache::ServerlessCache")
class ServerlessCache(Recorded):
    def identify(self, context: Context, properties: dict[str, Any]) -> str:
        return str(properties["ServerlessCacheName"])

    def attributes(self, context: Context, physical_id: str, properties: dict[str, Any]) -> dict[str, Any]:
        # The form of a real address: <name>-<id>.serverless.<region code>.cache.amazonaws.com.
        host = f"{physical_id}-0abc1d.serverless.use1.cache.amazonaws.com"
        return {
            "ARN": context.arn("elasticache", f"serverlesscache:{physical_id}"),
            "Endpoint.Address": host,
            "Endpoint.Port": "6379",
            "ReaderEndpoint.Address": host,
            "ReaderEndpoint.Port": "6380",
        }
