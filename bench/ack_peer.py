"""The peer of bench/ack: an endpoint as the documentation of Flask, discord-interactions and boto3 has one write it.

It reads `DISCORD_PUBLIC_KEY` and `QUEUE_URL`, and defers every application command after putting it into the queue.
"""

from __future__ import annotations

import os

import boto3
from discord_interactions import InteractionResponseType, InteractionType, verify_key_decorator
from flask import Flask, Response, abort, jsonify, request

PUBLIC_KEY = os.environ["DISCORD_PUBLIC_KEY"]
QUEUE_URL = os.environ["QUEUE_URL"]

app = Flask(__name__)
sqs = boto3.client("sqs")


@app.route("/interactions", methods=["POST"])
@verify_key_decorator(PUBLIC_KEY)  # type: ignore[untyped-decorator]  # its package has no types
def interactions() -> Response:
    """Enqueue and defer."""
    if request.json["type"] != InteractionType.APPLICATION_COMMAND:
        abort(400)
    sqs.send_message(QueueUrl=QUEUE_URL, MessageBody=request.get_data(as_text=True))
    return jsonify({"type": InteractionResponseType.DEFERRED_CHANNEL_MESSAGE_WITH_SOURCE})
