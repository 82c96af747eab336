// Reads the description that SPEC names, and writes client.ts.
module.exports = {
  turris: {
    input: { target: process.env.SPEC },
    output: { target: "./client.ts", client: "fetch", mode: "single", headers: true },
  },
};
