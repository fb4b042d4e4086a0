"""What every process is told by its environment; each value may also be a file in ``MSP_SECRETS_DIR``."""

from __future__ import annotations

import os

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Settings of one service process. Services add their own by subclassing."""

    model_config = SettingsConfigDict(env_prefix="MSP_", extra="ignore", secrets_dir=os.environ.get("MSP_SECRETS_DIR"))

    database_url: SecretStr
    """Login role of the process: owns nothing."""
    migrate_database_url: SecretStr | None = None
    """Owner role; only ``migrate`` needs it."""
    amqp_url: SecretStr
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8001, ge=1, le=65_535)
    identity_public_keys: str = '{"keys":[]}'
    """JWKS of the gateway's Ed25519 keys."""
    log_level: str = "info"
    otlp_endpoint: str = ""
    """OTLP/HTTP traces endpoint; empty means traces are not exported."""
    pool_size: int = Field(default=12, ge=2, le=100)
    body_bytes_max: int = Field(default=1_048_576, ge=1024)
    file_bytes_max: int = Field(default=10_485_760, ge=1024)
    """Largest body that is neither JSON nor a form: a file."""
    consumer_prefetch: int = Field(default=200, ge=1, le=2000)
