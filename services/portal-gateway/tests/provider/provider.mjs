// A real OpenID Connect provider for the tests: who signs in as NAME gets NAME@idp.example and the roles in ROLES.
import Provider from 'oidc-provider';

const [issuer, redirect] = process.argv.slice(2);
const roles = { boss: ['admins'], clerk: ['bookkeeping'], guest: ['visitors'] };
const provider = new Provider(issuer, {
  clients: [{ client_id: 'effigate', client_secret: 'a-secret-of-the-tests-only-0123456789', redirect_uris: [redirect], grant_types: ['authorization_code'], response_types: ['code'] }],
  pkce: { required: () => true },
  conformIdTokenClaims: false,
  claims: { openid: ['sub', 'roles'], email: ['email'], profile: ['name'] },
  findAccount: async (_context, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, email: id === 'thief' ? 'priya@hlo.example' : `${id}@idp.example`, name: `The ${id}`, roles: id === 'thief' ? ['admins'] : roles[id] ?? [] }),
  }),
});
provider.listen(Number(new URL(issuer).port), '127.0.0.1', () => console.log('ready'));
