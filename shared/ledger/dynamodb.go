package ledger

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The rows of a DynamoDB, in the one table that template.yaml declares.
//
//	pk                    sk                   holds
//	EVENT#{api}/{pim}#id  STATE                an Entry
//	MARK#subscription     entity               a Mark
//	GAP#pim               from#subscription    a Gap: one query reads a PIM's, newest first
//
// What a condition looks at is an attribute; the rest is JSON. None of the names is a word that DynamoDB reserves.
const (
	attrPK      = "pk"
	attrSK      = "sk"
	attrJSON    = "json"
	attrVersion = "version"
	attrWriter  = "writer"  // random, of the last write: tells our own write whose answer was lost
	attrExpires = "expires" // TTL, epoch seconds; a row counts as gone from then on, whenever DynamoDB removes it

	// Index of entities. Its key begins in another way than that of jobs, which are listed alone.
	indexEntity  = "gsi2"
	attrEntityPK = "gsi2pk"
	attrEntitySK = "gsi2sk" // when the event was first seen, and its key

	// free: there is no row, or its time has ended and DynamoDB has yet to remove it.
	free = "attribute_not_exists(pk) OR expires <= :now"

	keyEvent = "EVENT#"
	keyMark  = "MARK#"
	keyGap   = "GAP#"
	rowState = "STATE"
)

// dynamoAPI is the part of *dynamodb.Client that a DynamoDB calls.
type dynamoAPI interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// DynamoDBConfig is what a DynamoDB needs.
type DynamoDBConfig struct {
	Client dynamoAPI // repeats what failed for a passing cause, as the SDK's retryer does
	Table  string
	Now    func() time.Time
}

// DynamoDB is a Store and Gaps in the table that jobs are in too. Every write is one conditional put.
type DynamoDB struct{ DynamoDBConfig }

// NewDynamoDB returns a DynamoDB.
func NewDynamoDB(config DynamoDBConfig) *DynamoDB { return &DynamoDB{config} }

// Get implements Store.
func (d *DynamoDB) Get(ctx context.Context, key string) (Entry, error) {
	if key == "" {
		return Entry{}, ErrNotFound
	}
	var entry Entry
	found, err := d.get(ctx, eventKey(key), &entry)
	switch {
	case err != nil:
		return Entry{}, fmt.Errorf("get event: %w", err)
	case !found:
		return Entry{}, ErrNotFound
	}
	return entry, nil
}

// Save implements Store.
func (d *DynamoDB) Save(ctx context.Context, entry Entry) (Entry, error) {
	saved, blob, err := entry.next(d.Now())
	if err != nil {
		return Entry{}, err
	}
	row := eventKey(entry.Key)
	if saved.Entity != "" {
		row[attrEntityPK] = text(keyEvent + saved.Entity)
		row[attrEntitySK] = text(sortable(saved.CreatedAt) + "#" + short(saved.Key))
	}
	if err := d.swap(ctx, row, entry.Version, blob); err != nil {
		return Entry{}, fmt.Errorf("save event: %w", err)
	}
	return saved, nil
}

// Mark implements Store.
func (d *DynamoDB) Mark(ctx context.Context, subscription, entity string) (Mark, error) {
	mark := Mark{Subscription: subscription, Entity: entity}
	if _, err := d.get(ctx, key(keyMark+subscription, short(entity)), &mark); err != nil {
		return Mark{}, fmt.Errorf("get mark: %w", err)
	}
	return mark, nil
}

// SaveMark implements Store.
func (d *DynamoDB) SaveMark(ctx context.Context, mark Mark) (Mark, error) {
	saved, blob, err := mark.next()
	if err != nil {
		return Mark{}, err
	}
	if err := d.swap(ctx, key(keyMark+saved.Subscription, saved.Entity), mark.Version, blob); err != nil {
		return Mark{}, fmt.Errorf("save mark: %w", err)
	}
	return saved, nil
}

// Recent implements Store.
func (d *DynamoDB) Recent(ctx context.Context, entity string, limit int) ([]Entry, error) {
	if entity == "" {
		return nil, nil
	}
	rows, err := d.query(ctx, &dynamodb.QueryInput{
		IndexName: aws.String(indexEntity), KeyConditionExpression: aws.String(attrEntityPK + " = :key"),
		ExpressionAttributeValues: item{":key": text(keyEvent + short(entity))},
	}, clamp(limit))
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return decodeAll[Entry](rows)
}

// SaveGap implements Gaps.
func (d *DynamoDB) SaveGap(ctx context.Context, gap Gap) error {
	saved, blob, err := gap.next()
	if err != nil {
		return err
	}
	row := key(keyGap+saved.PIM, saved.key())
	d.fill(row, 1, rand.Text(), blob)
	put := &dynamodb.PutItemInput{TableName: &d.Table, Item: row}
	if saved.To.IsZero() { // a beginning told again must not open what has ended
		put.ConditionExpression = aws.String(free)
		put.ExpressionAttributeValues = item{":now": number(d.Now().Unix())}
	}
	_, err = d.Client.PutItem(ctx, put)
	if _, known := errors.AsType[*types.ConditionalCheckFailedException](err); known {
		return nil
	}
	if err != nil {
		return fmt.Errorf("save gap: %w", err)
	}
	return nil
}

// Gaps implements Gaps.
func (d *DynamoDB) Gaps(ctx context.Context, pim string) ([]Gap, error) {
	rows, err := d.query(ctx, &dynamodb.QueryInput{
		ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :key"),
		ExpressionAttributeValues: item{":key": text(keyGap + pim)},
	}, maxGaps)
	if err != nil {
		return nil, fmt.Errorf("list gaps: %w", err)
	}
	return decodeAll[Gap](rows)
}

// get reads a row into what it holds; found is false if there is none.
func (d *DynamoDB) get(ctx context.Context, key item, into any) (found bool, err error) {
	answer, err := d.Client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &d.Table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return false, err
	}
	row := item(answer.Item)
	if len(row) == 0 || row.number(attrExpires) <= d.Now().Unix() {
		return false, nil
	}
	return true, json.Unmarshal([]byte(row.text(attrJSON)), into)
}

// swap writes a row whose stored version is still version (0: there is none), else ErrConflict.
func (d *DynamoDB) swap(ctx context.Context, row item, version int64, blob []byte) error {
	writer := rand.Text()
	d.fill(row, version+1, writer, blob)
	condition, values := "version = :version AND expires > :now", item{":now": number(d.Now().Unix())}
	if version == 0 {
		condition = free
	} else {
		values[":version"] = number(version)
	}
	_, err := d.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &d.Table, Item: row, ConditionExpression: &condition, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		// The write may have been carried out, its answer lost, and the SDK have sent it again.
		if item(refused.Item).text(attrWriter) == writer {
			return nil
		}
		return ErrConflict
	}
	return err
}

func (d *DynamoDB) fill(row item, version int64, writer string, blob []byte) {
	row[attrJSON] = text(string(blob))
	row[attrVersion] = number(version)
	row[attrWriter] = text(writer)
	row[attrExpires] = number(d.Now().Add(Life).Unix())
}

// query reads at most so many rows, the last in order first.
func (d *DynamoDB) query(ctx context.Context, input *dynamodb.QueryInput, limit int) ([]item, error) {
	input.TableName, input.ScanIndexForward, input.Limit = &d.Table, aws.Bool(false), aws.Int32(int32(limit))
	input.FilterExpression = aws.String("expires > :now")
	input.ExpressionAttributeValues[":now"] = number(d.Now().Unix())
	var found []item
	for {
		answer, err := d.Client.Query(ctx, input)
		if err != nil {
			return nil, err
		}
		for _, row := range answer.Items {
			found = append(found, row)
		}
		if len(found) >= limit || len(answer.LastEvaluatedKey) == 0 {
			return found[:min(len(found), limit)], nil
		}
		input.ExclusiveStartKey = answer.LastEvaluatedKey
	}
}

func decodeAll[T any](rows []item) ([]T, error) {
	var found []T
	for _, row := range rows {
		var one T
		if err := json.Unmarshal([]byte(row.text(attrJSON)), &one); err != nil {
			return nil, fmt.Errorf("decode record: %w", err)
		}
		found = append(found, one)
	}
	return found, nil
}

// eventKey names the row of an entry: {api}/{pim}/{id}, of which the id alone comes from outside.
func eventKey(name string) item {
	parts := strings.SplitN(name, "/", 3)
	if len(parts) < 3 {
		return key(keyEvent+short(name), rowState)
	}
	return key(keyEvent+parts[0]+"/"+parts[1]+"#"+short(parts[2]), rowState)
}

// item is a row of the table, a key, or the values of an expression.
type item map[string]types.AttributeValue

func key(pk, sk string) item { return item{attrPK: text(pk), attrSK: text(sk)} }

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// text is a string attribute; "" for another or none.
func (i item) text(name string) string {
	if s, ok := i[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// number is a number attribute; 0 for another or none.
func (i item) number(name string) int64 {
	n, ok := i[name].(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	value, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		return 0
	}
	return value
}
