package jobs

// The table's names. One table holds all state (single-table design); template.yaml declares the same.
const (
	attrPK       = "pk"
	attrSK       = "sk"
	attrJob      = "job"     // JSON of the record, without what stands in the items row
	attrVersion  = "version" // number; every write is conditional on it
	attrWriter   = "writer"  // random, of the last write: tells an own write whose answer was lost
	attrHolder   = "holder"  // of a once key: the job's ID
	attrFailures = "failures"
	attrExpires  = "expires" // TTL, epoch seconds
	attrOwnerPK  = "gsi1pk"  // index 1: Owner
	attrOwnerSK  = "gsi1sk"
	attrEntityPK = "gsi2pk" // index 2, sparse: Entity
	attrEntitySK = "gsi2sk"
	indexOwner   = "gsi1"
	indexEntity  = "gsi2"

	rowState    = "STATE" // small; the only row that is rewritten
	rowItems    = "ITEMS" // items, context, params: written once
	rowFailures = "FAIL#" // + index of the first failure in it, five digits
	rowOnce     = "ONCE"

	failuresPerRow = 100
)

func jobKey(id string) string   { return "JOB#" + id }
func onceKey(key string) string { return "ONCE#" + key }
