// Preloaded into a client (node --require): names of the cloud resolve to LETHE_RESOLVE_TO, as an
// entry in the hosts file would have it, in this process alone. Everything else is as it was; the
// client, its endpoints and its TLS are untouched.

const dns = require('node:dns');

const lookup = dns.lookup;
dns.lookup = (name, options, callback) => {
  const named = name.endsWith('.tencentcloudapi.com') || name === 'asr.cloud.tencent.com';
  return lookup(named ? process.env.LETHE_RESOLVE_TO : name, options, callback);
};
