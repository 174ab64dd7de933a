package jobs

// The rows of a DynamoDB store, in the one table that holds all state (package table).
//
//	pk          sk              holds
//	JOB#id      STATE           the record; small, and the only row that is rewritten
//	JOB#id      ITEMS           items, context and params; written once
//	JOB#id      FAIL#000000300  failures, at most failuresPerRow, from the one at this index on; written once (until the
//	                            second wave with five digits)
//	JOB#id      SEEN#000000300  what a selection has seen, from the one with this number on; written once
//	JOB#id      TURN            the turn of the message that goes on with a job that rests, and nothing else
//	SIGNAL#id#0-9  SIGNAL       what ends the wait of that job with that name
//	MARK#key    MARK            up to where selections have handed over what changed; no time to live
//	TICK#key    TICK            what the clock remembers of a schedule; no time to live
//	PROFILE#key PROFILE         what is known of the runs of a PIM's job profile
//	ONCE#key    ONCE            the ID of the job that holds a once key
const (
	keyJob      = "JOB#"
	keyOnce     = "ONCE#"
	keyMark     = "MARK#"
	keyTick     = "TICK#"
	keySignal   = "SIGNAL#"
	keyProfile  = "PROFILE#"
	rowState    = "STATE"
	rowPayload  = "ITEMS"
	rowFailures = "FAIL#"
	rowSeen     = "SEEN#"
	rowOnce     = "ONCE"
	rowMark     = "MARK"
	rowTick     = "TICK"
	rowSignal   = "SIGNAL"
	rowTurn     = "TURN"
	rowProfile  = "PROFILE"
)

// Attributes besides those of package table. What a condition looks at is an attribute; the rest is JSON: of STATE the
// job, of ITEMS the payload, of FAIL# a list.
const (
	attrBorn   = "born"    // when STATE was created, epoch seconds by the store's clock
	attrHolder = "holder"  // of ONCE: a job's ID
	attrUntil  = "reached" // of MARK: its time, in milliseconds since 1970
)

// Only STATE rows are in an index, and in that of entities only jobs of exactly one item. The sort key is the time of
// creation and the ID.

// failuresPerRow keeps a row of failures, each cut at MaxReason, far below DynamoDB's 400 KB.
const failuresPerRow = 100
