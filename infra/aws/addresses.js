'use strict';

// Says at the end of `deploy` and `info` what to enter in Discord's developer portal, in place of the function's URL.

module.exports = class Addresses {
  constructor(serverless) {
    this.serverless = serverless;
    this.hooks = { 'after:aws:info:displayEndpoints': () => this.replace() };
  }

  replace() {
    const outputs = this.serverless.serviceOutputs;
    const url = outputs.get('endpoint');
    if (!url) return;
    outputs.delete('endpoint');
    outputs.set('interactions endpoint URL', `${url}interactions`);
    outputs.set('webhook events URL', `${url}events`);
  }
};
