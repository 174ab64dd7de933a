package jobs

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TableDefinition describes the table as template.yaml declares it, without the time to live on "expires", which
// CreateTable cannot set: for tests and for tries against an emulator.
func TableDefinition(name string) *dynamodb.CreateTableInput {
	input := &dynamodb.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModePayPerRequest,
		KeySchema:   keySchema(attrPK, attrSK),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			tableIndex(indexOwner, attrOwnerPK, attrOwnerSK),
			tableIndex(indexEntity, attrEntityPK, attrEntitySK),
		},
	}
	for _, name := range []string{attrPK, attrSK, attrOwnerPK, attrOwnerSK, attrEntityPK, attrEntitySK} {
		input.AttributeDefinitions = append(input.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: &name, AttributeType: types.ScalarAttributeTypeS,
		})
	}
	return input
}

func tableIndex(name, hash, sort string) types.GlobalSecondaryIndex {
	return types.GlobalSecondaryIndex{
		IndexName: &name, KeySchema: keySchema(hash, sort),
		Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
	}
}

func keySchema(hash, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: &hash, KeyType: types.KeyTypeHash},
		{AttributeName: &sort, KeyType: types.KeyTypeRange},
	}
}

// row is a row of the table, or the values of an expression.
type row map[string]types.AttributeValue

// key names a row.
func key(pk, sk string) row { return row{attrPK: text(pk), attrSK: text(sk)} }

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func seconds(t time.Time) types.AttributeValue { return number(t.Unix()) }

// text is a string attribute; "" for another or none.
func (r row) text(name string) string {
	if s, ok := r[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// number is a number attribute; 0 for another or none.
func (r row) number(name string) int64 {
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

// live says that the row is there and its time has not ended. DynamoDB removes expired rows up to days late
// (developer guide, "Time to Live").
func (r row) live(now time.Time) bool { return len(r) > 0 && r.number(attrExpires) > now.Unix() }

// Codes of the reasons why a transaction was cancelled (API reference, "TransactWriteItems").
const (
	conditionFailed = "ConditionalCheckFailed"
	inTransaction   = "TransactionConflict" // the row is in another transaction just now
)

// refused says that a condition refused the action at this place of a transaction.
func refused(reasons []types.CancellationReason, at int) bool {
	return at < len(reasons) && aws.ToString(reasons[at].Code) == conditionFailed
}
