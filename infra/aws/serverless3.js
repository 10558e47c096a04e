'use strict';

// serverless@3 is as old as Python 3.11 and refuses the runtimes that came after it, which AWS takes.

module.exports = class Serverless3 {
  constructor(serverless) {
    const { awsLambdaRuntime } = serverless.configSchemaHandler.schema.definitions;
    const { runtime } = serverless.configurationInput.provider;
    if (awsLambdaRuntime && !awsLambdaRuntime.enum.includes(runtime)) awsLambdaRuntime.enum.push(runtime);
  }
};
