// jsforce, as its users write it: `node jsforce.mjs CASE` with the org's credentials on stdin.
import { readFileSync } from 'node:fs'
import jsforce from 'jsforce'

const known = JSON.parse(readFileSync(0, 'utf8'))

async function signedIn(loginUrl = known.login_url) {
  const connection = new jsforce.Connection({ loginUrl, version: '62.0' })
  const user = await connection.login(known.username, known.password + known.security_token)
  return Object.assign(connection, { user })
}

const leads = (count) =>
  Array.from({ length: count }, (_, at) => ({ LastName: `L${at}`, Company: '-' }))

const cases = {
  async login() {
    const connection = await signedIn()
    const { username } = await connection.identity()
    return { ...connection.user, username, instanceUrl: connection.instanceUrl }
  },
  async tls() {
    const connection = await signedIn(known.tls_url)
    const { totalSize } = await connection.query('SELECT Id FROM Product2')
    return { instanceUrl: connection.instanceUrl, totalSize }
  },
  async wrongPassword() {
    const connection = new jsforce.Connection({ loginUrl: known.login_url })
    return connection.login(known.username, 'wrong').then(
      () => 'signed in',
      (error) => ({ code: error.errorCode ?? error.name, message: error.message }),
    )
  },
  async oauth() {
    const { client_id: clientId, client_secret: clientSecret, login_url: loginUrl } = known
    const connection = new jsforce.Connection({
      oauth2: { clientId, clientSecret, loginUrl },
      version: '62.0',
    })
    await connection.authorize({ grant_type: 'client_credentials' })
    return (await connection.query('SELECT Id FROM Product2')).totalSize
  },
  async rows() {
    const contacts = (await signedIn()).sobject('Contact')
    const made = await contacts.create({ LastName: '王', FirstName: '小明' })
    const changed = await contacts.update({ Id: made.id, Title: '經理' })
    const read = await contacts.retrieve(made.id)
    const gone = await contacts.destroy(made.id)
    const missing = await contacts.retrieve(made.id).catch((error) => error.errorCode)
    return { made, changed, read, gone, missing }
  },
  async upsert() {
    const accounts = (await signedIn()).sobject('Account')
    const first = await accounts.upsert({ Name: 'A', LINE_Key__c: 'k1' }, 'LINE_Key__c')
    const second = await accounts.upsert({ Name: 'B', LINE_Key__c: 'k1' }, 'LINE_Key__c')
    const many = await accounts.upsert(
      [{ Name: 'C', LINE_Key__c: 'k1' }, { Name: 'D', LINE_Key__c: 'k2' }],
      'LINE_Key__c',
    )
    return { first, second, many }
  },
  async errors() {
    const connection = await signedIn()
    const told = (error) => ({ code: error.errorCode, message: error.message })
    return {
      required: await connection.sobject('Contact').create({}).catch(told),
      field: await connection.query('SELECT Nothing FROM Contact').catch(told),
      type: await connection.query('SELECT Id FROM Nothing').catch(told),
      mixed: await connection
        .sobject('Contact')
        .create([{ LastName: 'x' }, { FirstName: 'y' }], { allOrNone: false }),
    }
  },
  async collections() {
    const connection = await signedIn()
    const made = await connection.sobject('Lead').create(leads(450), { allowRecursive: true })
    const ids = made.slice(0, 3).map((each) => each.id)
    const read = await connection.sobject('Lead').retrieve(ids)
    const changed = await connection
      .sobject('Lead')
      .update(ids.map((Id) => ({ Id, Title: 'x' })))
    const gone = await connection.sobject('Lead').destroy(ids)
    return { made, read, changed, gone }
  },
  async pages() {
    const connection = await signedIn()
    await connection.sobject('Lead').create(leads(450), { allowRecursive: true })
    const text = 'SELECT Id, LastName FROM Lead ORDER BY LastName'
    const headers = { 'Sforce-Query-Options': 'batchSize=200' }
    const first = await connection.query(text, { headers, autoFetch: false })
    const second = await connection.queryMore(first.nextRecordsUrl, { headers })
    const all = await connection.query(text, { autoFetch: true, maxFetch: 1000, headers })
    return {
      first: [first.records.length, first.totalSize, first.done],
      second: [second.records.length, second.done],
      all: all.records.map((row) => row.Id),
    }
  },
  async soql() {
    const connection = await signedIn()
    const account = await connection.sobject('Account').create({ Name: 'A' })
    await connection.sobject('Contact').create([
      { LastName: 'x', AccountId: account.id, Email: 'x@example.com' },
      { LastName: 'y', AccountId: account.id },
    ])
    const found = await connection
      .sobject('Contact')
      .find({ LastName: { $like: 'x%' }, Email: { $ne: null } }, 'Id, LastName, Account.Name')
      .limit(5)
    const children = await connection
      .sobject('Account')
      .select('Id, Name')
      .include('Contacts')
      .select('LastName')
      .orderby('LastName', 'DESC')
      .end()
    const grouped = await connection.query(
      'SELECT AccountId, COUNT(Id) n FROM Contact GROUP BY AccountId HAVING COUNT(Id) > 1',
    )
    return {
      found: found.map((row) => [row.LastName, row.Account.Name]),
      children: children[0].Contacts.records.map((row) => row.LastName),
      grouped: grouped.records.map((row) => row.n),
    }
  },
  async composite() {
    const connection = await signedIn()
    const base = '/services/data/v62.0/sobjects'
    return connection.requestPost('/composite', {
      allOrNone: true,
      compositeRequest: [
        { method: 'POST', url: `${base}/Account`, referenceId: 'a', body: { Name: 'A' } },
        {
          method: 'POST',
          url: `${base}/Contact`,
          referenceId: 'c',
          body: { LastName: '王', AccountId: '@{a.id}' },
        },
        { method: 'GET', url: `${base}/Contact/@{c.id}?fields=AccountId`, referenceId: 'r' },
      ],
    })
  },
  async describe() {
    const connection = await signedIn()
    const account = await connection.describe('Account')
    const all = await connection.describeGlobal()
    const limits = await connection.limits()
    return {
      label: account.label,
      fields: account.fields.map((field) => field.name),
      objects: all.sobjects.map((each) => each.name),
      limit: limits.DailyApiRequests.Max,
      usage: connection.limitInfo.apiUsage,
    }
  },
  async metadata() {
    const connection = await signedIn()
    const made = await connection.tooling.sobject('CustomField').create({
      FullName: 'Lead.Tier__c',
      Metadata: { label: 'Tier', type: 'Text', length: 20, required: false },
    })
    const hidden = (await connection.describe('Lead')).fields.some((f) => f.name === 'Tier__c')
    const [set] = await connection.sobject('PermissionSet').find({ Name: 'LINE_Connector' })
    await connection.sobject('FieldPermissions').create({
      ParentId: set.Id,
      SobjectType: 'Lead',
      Field: 'Lead.Tier__c',
      PermissionsRead: true,
      PermissionsEdit: true,
    })
    const lead = await connection
      .sobject('Lead')
      .create({ LastName: 'x', Company: '-', Tier__c: 'gold' })
    const found = await connection.tooling.query(
      "SELECT DeveloperName FROM CustomField WHERE DeveloperName = 'Tier'",
    )
    return { made, hidden, lead, found: found.records.map((row) => row.DeveloperName) }
  },
  async deploy() {
    const connection = await signedIn()
    const zip = Buffer.from(known.zip, 'base64')
    const result = await connection.metadata.deployRest(zip, { singlePackage: true }).complete(true)
    return {
      status: result.status,
      done: result.done,
      names: result.details.componentSuccesses.map((each) => each.fullName),
    }
  },
  async bulk() {
    const { bulk2 } = await signedIn()
    Object.assign(bulk2, { pollInterval: 50, pollTimeout: 20000 })
    const load = (operation, input) =>
      bulk2.loadAndWaitForResults({
        object: 'Contact',
        operation,
        input,
        externalIdFieldName: operation === 'upsert' ? 'LINE_Key__c' : undefined,
      })
    const made = await load('insert', [{ LastName: '王', LINE_Key__c: 'a' }])
    const changed = await load('upsert', [
      { LastName: '李 "x", y', LINE_Key__c: 'a' },
      { LastName: '陳', LINE_Key__c: 'b' },
      { LastName: '', LINE_Key__c: 'c' },
    ])
    const found = await bulk2.query('SELECT Id, LastName FROM Contact ORDER BY LINE_Key__c')
    return { made, changed, found: await found.toArray() }
  },
  async bulkFailure() {
    const { bulk2 } = await signedIn()
    const job = bulk2.createJob({ object: 'Contact', operation: 'insert' })
    await job.open()
    await job.uploadData('Nose\nx\n')
    await job.close()
    return job.poll(50, 20000).catch((error) => error.message)
  },
  async logout() {
    const connection = await signedIn()
    const { accessToken, instanceUrl } = connection
    await connection.logout()
    const late = new jsforce.Connection({ accessToken, instanceUrl, version: '62.0' })
    return late.query('SELECT Id FROM Lead').catch((error) => error.errorCode)
  },
}

console.log(JSON.stringify(await cases[process.argv[2]]()))
