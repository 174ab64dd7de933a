package table

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Attributes that every row has, or may have. None is a word that DynamoDB reserves ("Reserved words in DynamoDB"), so
// that expressions can name them as they are.
const (
	PK      = "pk"
	SK      = "sk"
	JSON    = "json"    // the record
	Version = "version" // number: writes of a record are conditional on it
	Writer  = "writer"  // random, of the last write: tells our own write whose answer was lost
	Expires = "expires" // time to live, epoch seconds: a row counts as gone from then on
)

// Indexes hold all attributes of the rows that have their keys.
const (
	OwnerIndex  = "gsi1"
	OwnerPK     = "gsi1pk"
	OwnerSK     = "gsi1sk"
	EntityIndex = "gsi2"
	EntityPK    = "gsi2pk"
	EntitySK    = "gsi2sk"
)

// Row is a row of the table, a key, or the values of an expression.
type Row map[string]types.AttributeValue

// Key names a row.
func Key(pk, sk string) Row { return Row{PK: Text(pk), SK: Text(sk)} }

// Text is the value of a string attribute.
func Text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// Number is the value of a number attribute.
func Number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// Seconds is a time as a number attribute: whole seconds since 1970, as DynamoDB's time to live counts.
func Seconds(t time.Time) types.AttributeValue { return Number(t.Unix()) }

// Text returns a string attribute; "" for another or none.
func (r Row) Text(name string) string {
	if s, ok := r[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// Number returns a number attribute; 0 for another or none.
func (r Row) Number(name string) int64 {
	n, ok := r[name].(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	value, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		return 0
	}
	return value
}

// Live says that the row is there and its time has not ended. DynamoDB removes expired rows up to days late (developer
// guide, "Time to Live").
func (r Row) Live(now time.Time) bool { return len(r) > 0 && r.Number(Expires) > now.Unix() }
