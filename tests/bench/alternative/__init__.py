"""What a competent person writes by hand in an afternoon, to be measured beside.

One web process takes LINE's events and the form with FastAPI, and puts each into a thread pool; a job
makes its rows with simple-salesforce, one call per row, and speaks to LINE with line-bot-sdk. The work
is that of the connector where the figures look, and less beside them: it keeps nothing on disk (a restart
loses what waits), it tells the customer nothing, it reads nothing back, and it knows the customer's
Contact already.

How it was tuned:

- one `requests.Session` for all calls to the org, kept alive, with as many connections as there are
  threads: no call but the first of a thread shakes hands;
- the session token is there at the start, as a cron job would renew it; no call is spent on signing in;
- five seconds to connect, thirty to answer; three repeats for a connection that was refused, none for a
  write that may have arrived;
- one `ApiClient` of line-bot-sdk with a pool as large;
- handlers are coroutines that only queue work, so none waits for a thread of the server; no OpenAPI page;
- uvloop and httptools, no access log;
- 1 thread is the plain way, 8 are what the org's other users still bear; more does help, until the org
  refuses the 26th request that takes long.
"""

CLIENT = "by-hand"
