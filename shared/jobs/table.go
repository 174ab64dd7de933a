package jobs

// The table of a DynamoDB store: one table holds all state, and template.yaml declares the same (TableDefinition).
//
//	pk          sk          holds
//	JOB#id      STATE       the record; small, and the only row that is rewritten
//	JOB#id      ITEMS       items, context and params; written once
//	JOB#id      FAIL#00300  failures, at most failuresPerRow, from the one at this index on; written once
//	ONCE#key    ONCE        the ID of the job that holds a once key
const (
	attrPK = "pk"
	attrSK = "sk"

	keyJob      = "JOB#"
	keyOnce     = "ONCE#"
	rowState    = "STATE"
	rowPayload  = "ITEMS"
	rowFailures = "FAIL#"
	rowOnce     = "ONCE"
)

// Attributes. None is a word that DynamoDB reserves ("Reserved words in DynamoDB"), so that expressions can name
// them as they are. What a condition looks at is an attribute; the rest is JSON.
const (
	attrJSON    = "json"    // of STATE the job, of ITEMS the payload, of FAIL# a list
	attrVersion = "version" // number: every write of STATE is conditional on it
	attrWriter  = "writer"  // random, of the last write of STATE: tells our own write whose answer was lost
	attrBorn    = "born"    // when STATE was created, epoch seconds by the store's clock
	attrHolder  = "holder"  // of ONCE: a job's ID
	attrExpires = "expires" // TTL, epoch seconds; a row counts as gone from then on, whenever DynamoDB removes it
)

// Indexes, with all attributes. Only STATE rows are in them; the sort key is the time of creation and the ID.
const (
	indexOwner   = "gsi1"
	attrOwnerPK  = "gsi1pk" // Owner
	attrOwnerSK  = "gsi1sk"
	indexEntity  = "gsi2" // jobs of exactly one item
	attrEntityPK = "gsi2pk"
	attrEntitySK = "gsi2sk"
)

// failuresPerRow keeps a row of failures, each cut at MaxReason, far below DynamoDB's 400 KB.
const failuresPerRow = 100
