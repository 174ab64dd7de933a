// Package table keeps rows in a DynamoDB table: their keys and values, conditional writes, and their time to live. All
// state lies in one table, which template.yaml declares; packages jobs and ledger keep their records there and know
// what stands in a row.
//
// It is not an object mapper: what a condition looks at is an attribute of its own, and the record itself is JSON.
package table

import (
	"context"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// client is the part of *dynamodb.Client that a Table calls.
type client interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// Config is what a Table needs.
type Config struct {
	Client client // a *dynamodb.Client; its retryer repeats what failed for a passing cause
	Table  string // laid out as Definition says
	Now    func() time.Time
}

// Table reads and writes rows. Safe for concurrent use.
type Table struct{ Config }

// New returns a Table. It calls nothing.
func New(config Config) *Table { return &Table{config} }

// Get returns a row, which may have expired; an empty one if there is none. It sees all earlier writes.
func (t *Table) Get(ctx context.Context, pk, sk string) (Row, error) {
	answer, err := t.Client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.Table, Key: Key(pk, sk), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	return answer.Item, nil
}

// Query names rows that one partition key holds.
type Query struct {
	Index  string    // an index, which lags behind writes; "": the table itself, which sees all earlier writes
	Where  string    // condition on the key attributes
	Values Row       // values in Where
	Since  time.Time // rows whose time had ended by then are left out; zero: none is
	Last   bool      // the last in the order of the sort key come first
	Page   int       // rows that one call reads at most; 0: what fits 1 MB
}

// Rows yields the rows of a query, in the order of their sort keys. It reads page after page as it is asked for more,
// and ends with the first error.
func (t *Table) Rows(ctx context.Context, q Query) iter.Seq2[Row, error] {
	input := &dynamodb.QueryInput{
		TableName: &t.Table, ConsistentRead: aws.Bool(q.Index == ""), KeyConditionExpression: &q.Where,
		ExpressionAttributeValues: Row{}, ScanIndexForward: aws.Bool(!q.Last),
	}
	for name, value := range q.Values {
		input.ExpressionAttributeValues[name] = value
	}
	if q.Index != "" {
		input.IndexName = &q.Index
	}
	if q.Page > 0 {
		input.Limit = aws.Int32(int32(q.Page))
	}
	if !q.Since.IsZero() {
		input.FilterExpression = aws.String(Expires + " > :since")
		input.ExpressionAttributeValues[":since"] = Seconds(q.Since)
	}
	return func(yield func(Row, error) bool) {
		for {
			answer, err := t.Client.Query(ctx, input)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, row := range answer.Items {
				if !yield(row, nil) {
					return
				}
			}
			if len(answer.LastEvaluatedKey) == 0 {
				return
			}
			input.ExclusiveStartKey = answer.LastEvaluatedKey
		}
	}
}
