package table

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Create writes a record where there is none, or one whose time has ended. Else it returns the one that is there; nil means
// that this one is. It is one PutItem: a function that does nothing else needs no right to anything else.
func (t *Table) Create(ctx context.Context, pk, sk string, record []byte, expires time.Time) (before Row, err error) {
	now, writer := t.Now().UTC(), rand.Text()
	row := Key(pk, sk)
	row[JSON], row[Version], row[Writer], row[Expires] = Text(string(record)), Number(1), Text(writer), Seconds(expires)
	_, err = t.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &t.Table, Item: row,
		ConditionExpression:                 aws.String("attribute_not_exists(pk) OR expires <= :now"),
		ExpressionAttributeValues:           Row{":now": Seconds(now)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		if before = failed.Item; before.Text(Writer) == writer { // it had been carried out, its answer was lost, and the SDK sent it again
			return nil, nil
		}
		return before, nil
	}
	return nil, err
}
