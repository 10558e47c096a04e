'use strict';

// Deploys nothing that would fail as it starts: an empty variable would take a running bot out of service.

const KEY = /^[0-9a-f]{64}$/i;

module.exports = class Identity {
  constructor(serverless) {
    this.serverless = serverless;
    this.hooks = { 'before:package:initialize': () => this.check() };
  }

  check() {
    const { service } = this.serverless;
    const { DISCORD_PUBLIC_KEY: key, DISCORD_APPLICATION_ID: id } = service.provider.environment;
    const { TRAINGER_PROBE_PUBLIC_KEY: probe } = service.getFunction('ack').environment;
    if (!KEY.test(key)) this.refuse('DISCORD_PUBLIC_KEY must be the 64 hexadecimal digits of “General Information”.');
    if (!/^\d+$/.test(id)) this.refuse('DISCORD_APPLICATION_ID must be the number of “General Information”.');
    if (probe && !KEY.test(probe)) this.refuse('TRAINGER_PROBE_PUBLIC_KEY must be what the doctor printed, or empty.');
  }

  refuse(why) {
    throw new this.serverless.classes.Error(why);
  }
};
