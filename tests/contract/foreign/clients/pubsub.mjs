// salesforce-pubsub-api-client, as its users write it: `node pubsub.mjs CASE` with the org's
// credentials on stdin.
import { readFileSync } from 'node:fs'
import jsforce from 'jsforce'
import PubSubApiClient from 'salesforce-pubsub-api-client'

const known = JSON.parse(readFileSync(0, 'utf8'))
const LEADS = '/data/LeadChangeEvent'
const PATIENCE = 20_000
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

async function connected() {
  const { login_url: loginUrl, username, password, security_token: userToken } = known
  // The client trusts the authorities it brings along and takes no others.
  const client = new PubSubApiClient(
    {
      authType: 'username-password',
      loginUrl,
      username,
      password,
      userToken,
      pubSubEndpoint: known.pubsub_endpoint,
      rejectUnauthorizedSsl: false,
    },
    quiet,
  )
  await client.connect()
  return client
}

async function signedIn() {
  const { login_url: loginUrl, username, password, security_token: token } = known
  const connection = new jsforce.Connection({
    loginUrl,
    version: '62.0',
    callOptions: { client: 'tester/1' },
  })
  await connection.login(username, password + token)
  return connection
}

// What a subscription is told, until `count` events have come or it fails.
function told(subscribe, count) {
  const seen = { events: [], signs: 0, error: null, last: false }
  let listening
  seen.listening = new Promise((resolve) => (listening = resolve))
  seen.done = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`only ${seen.events.length} events`)), PATIENCE).unref()
    subscribe((_, kind, data) => {
      if (kind === 'grpcKeepAlive') {
        seen.signs += 1
        listening()
      }
      if (kind === 'event') seen.events.push(data)
      if (kind === 'lastEvent') seen.last = true
      if (kind === 'error') seen.error = data
      if (seen.error || seen.events.length >= count) resolve(seen)
    })
  })
  return seen
}

const plain = (event) => {
  const { ChangeEventHeader: header, ...values } = event.payload
  const filled = Object.entries(values).filter(([, value]) => value !== null)
  return { header, values: Object.fromEntries(filled), replayId: event.replayId, id: event.id }
}

const cases = {
  async changes() {
    const client = await connected()
    const heard = told((callback) => client.subscribe(LEADS, callback), 2)
    await heard.listening
    const leads = (await signedIn()).sobject('Lead')
    const made = await leads.create({ LastName: '王', FirstName: '小明', Company: 'A' })
    await leads.update({ Id: made.id, FirstName: '大明', Company: 'B' })
    await heard.done
    return { id: made.id, events: heard.events.map(plain) }
  },
  async replay() {
    const client = await connected()
    const from = Number(known.replay_id)
    const heard = told((callback) => client.subscribeFromReplayId(LEADS, callback, 5, from), 1)
    await heard.done
    return heard.events.map(plain)
  },
  async corrupted() {
    const client = await connected()
    const heard = told((callback) => client.subscribeFromReplayId(LEADS, callback, 5, 4711), 1)
    const { error } = await heard.done
    const [trailer] = error.metadata.get('error-code')
    return { code: error.code, details: error.details, trailer }
  },
  async earliest() {
    const client = await connected()
    const heard = told(
      (callback) => client.subscribeFromEarliestEvent(LEADS, callback),
      Number(known.count),
    )
    await heard.done
    return heard.events.map(plain)
  },
}

const answer = await cases[process.argv[2]]()
const text = JSON.stringify(answer, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
// Open streams would hold the process; a long answer must be out before it ends.
process.stdout.write(text, () => process.exit(0))
