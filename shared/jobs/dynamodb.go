package jobs

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// dynamoAPI is the part of *dynamodb.Client that a DynamoDB calls.
type dynamoAPI interface {
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// DynamoDBConfig is what a DynamoDB needs.
type DynamoDBConfig struct {
	Client dynamoAPI
	Table  string
	Now    func() time.Time
}

// DynamoDB is a Store in one DynamoDB table. Concurrency rests on conditional writes alone.
type DynamoDB struct{ DynamoDBConfig }

// NewDynamoDB returns a DynamoDB.
func NewDynamoDB(config DynamoDBConfig) *DynamoDB { return &DynamoDB{config} }

// Rows that are written once outlive the state row, whose life begins anew with every write.
const onceWrittenLife = 2 * Life

// Create implements Store.
func (d *DynamoDB) Create(ctx context.Context, job Job, takeover *Job) (Job, error) {
	if err := validate(job); err != nil {
		return Job{}, err
	}
	w := d.newWrite()
	job.Version = 0
	created, state, err := w.state(job)
	if err != nil {
		return Job{}, err
	}
	w.indexes(state, created)
	items, err := w.items(created)
	if err != nil {
		return Job{}, err
	}
	fresh := "attribute_not_exists(pk) OR expires <= :now"
	w.put(state, fresh, values{":now": number(w.now.Unix())})
	w.put(items, "", nil)
	once, over := -1, -1
	if job.Once != "" {
		row := values{attrPK: text(onceKey(job.Once)), attrSK: text(rowOnce), attrHolder: text(job.ID), attrExpires: number(w.now.Add(Life).Unix())}
		if takeover == nil {
			once = w.put(row, fresh+" OR holder = :self", values{":now": number(w.now.Unix()), ":self": text(job.ID)})
		} else {
			once = w.put(row, "holder = :before", values{":before": text(takeover.ID)})
		}
	}
	if takeover != nil {
		if _, over, err = w.save(*takeover); err != nil {
			return Job{}, err
		}
	}
	reasons, err := w.commit(ctx)
	switch {
	case err != nil:
		return Job{}, fmt.Errorf("create job: %w", err)
	case reasons == nil:
		return created, nil
	case failed(reasons, 0):
		if word(reasons[0].Item[attrWriter]) == w.writer { // our own write, whose answer was lost
			return created, nil
		}
		return Job{}, ErrExists
	case over >= 0:
		return Job{}, ErrConflict
	case once >= 0 && failed(reasons, once):
		return Job{}, &OnceError{Holder: word(reasons[once].Item[attrHolder])}
	}
	return Job{}, fmt.Errorf("create job: %w", errBusy)
}

// Save implements Store.
func (d *DynamoDB) Save(ctx context.Context, job Job, failures ...Failure) (Job, error) {
	w := d.newWrite()
	saved, at, err := w.save(job)
	if err != nil {
		return Job{}, err
	}
	if err := w.failures(job.ID, failures); err != nil {
		return Job{}, err
	}
	once := -1
	if job.State.Ended() && job.Once != "" {
		once = w.free(job.Once, job.ID)
	}
	if len(w.rows) == 1 {
		return d.update(ctx, w, saved)
	}
	reasons, err := w.commit(ctx)
	if err == nil && reasons != nil && !failed(reasons, at) && once >= 0 && failed(reasons, once) {
		w.drop(once) // the key has passed to another job
		reasons, err = w.commit(ctx)
	}
	switch {
	case err != nil:
		return Job{}, fmt.Errorf("save job: %w", err)
	case reasons == nil:
		return saved, nil
	case failed(reasons, at):
		return w.outcome(saved, reasons[at].Item)
	}
	return Job{}, fmt.Errorf("save job: %w", errBusy)
}

// update carries out a write of one row, which needs no transaction.
func (d *DynamoDB) update(ctx context.Context, w *write, saved Job) (Job, error) {
	u := w.rows[0].Update
	_, err := d.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: u.TableName, Key: u.Key, UpdateExpression: u.UpdateExpression, ConditionExpression: u.ConditionExpression,
		ExpressionAttributeNames: u.ExpressionAttributeNames, ExpressionAttributeValues: u.ExpressionAttributeValues,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return w.outcome(saved, refused.Item)
	}
	if err != nil {
		return Job{}, fmt.Errorf("save job: %w", err)
	}
	return saved, nil
}

// outcome tells from the row that refused a write what has happened.
func (w *write) outcome(saved Job, row values) (Job, error) {
	switch {
	case word(row[attrWriter]) == w.writer: // our own write, whose answer was lost
		return saved, nil
	case len(row) == 0 || w.expired(row):
		return Job{}, ErrNotFound
	}
	return Job{}, ErrConflict
}

// Get implements Store.
func (d *DynamoDB) Get(ctx context.Context, id string) (Job, error) {
	answer, err := d.Client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &d.Table, ConsistentRead: aws.Bool(true),
		Key: values{attrPK: text(jobKey(id)), attrSK: text(rowState)},
	})
	if err != nil {
		return Job{}, fmt.Errorf("get job: %w", err)
	}
	return d.read(answer.Item)
}

// Load implements Store. One query reads both rows: ITEMS and STATE are the last of the job's, in this order.
func (d *DynamoDB) Load(ctx context.Context, id string) (Job, error) {
	answer, err := d.Client.Query(ctx, &dynamodb.QueryInput{
		TableName: &d.Table, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("pk = :pk AND sk >= :sk"),
		ExpressionAttributeValues: values{":pk": text(jobKey(id)), ":sk": text(rowItems)},
	})
	if err != nil {
		return Job{}, fmt.Errorf("load job: %w", err)
	}
	rows := map[string]values{}
	for _, row := range answer.Items {
		rows[word(row[attrSK])] = row
	}
	job, err := d.read(rows[rowState])
	if err != nil {
		return Job{}, err
	}
	var rest payload
	if err := json.Unmarshal([]byte(word(rows[rowItems][attrJob])), &rest); err != nil {
		return Job{}, fmt.Errorf("load job: decode items: %w", err)
	}
	job.Items, job.Context, job.Params = rest.Items, rest.Context, rest.Params
	return job, nil
}

// read decodes a state row.
func (d *DynamoDB) read(row values) (Job, error) {
	if len(row) == 0 {
		return Job{}, ErrNotFound
	}
	var job Job
	if err := json.Unmarshal([]byte(word(row[attrJob])), &job); err != nil {
		return Job{}, fmt.Errorf("decode job: %w", err)
	}
	if !d.Now().Before(job.ExpiresAt) { // TTL removes rows up to days late
		return Job{}, ErrNotFound
	}
	return job, nil
}

// errBusy: transactions of others touched the same rows, each time.
var errBusy = errors.New("the table is busy")

type values = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// word is the text of a string attribute; "" for another or none.
func word(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func failed(reasons []types.CancellationReason, at int) bool {
	return at >= 0 && at < len(reasons) && aws.ToString(reasons[at].Code) == "ConditionalCheckFailed"
}

func newWriter() string { return rand.Text() }
