'use strict';

// osls skips a deployment that changes nothing, but looks for the functions' packages in its own folder alone, which
// it empties first. So they are put there, too.

const fs = require('fs');
const path = require('path');

module.exports = class Unchanged {
  constructor(serverless) {
    this.serverless = serverless;
    this.hooks = { 'after:package:createDeploymentArtifacts': () => this.copy() };
  }

  copy() {
    const { service, serviceDir } = this.serverless;
    const folder = path.join(serviceDir, '.serverless');
    for (const name of service.getAllFunctions()) {
      const { artifact } = service.getFunction(name).package;
      fs.mkdirSync(folder, { recursive: true });
      fs.copyFileSync(path.resolve(serviceDir, artifact), path.join(folder, path.basename(artifact)));
    }
  }
};
