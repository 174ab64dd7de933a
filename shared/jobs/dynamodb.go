package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// dynamoAPI is the part of *dynamodb.Client that a DynamoDB calls.
type dynamoAPI interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// DynamoDBConfig is what a DynamoDB needs.
type DynamoDBConfig struct {
	Client dynamoAPI // repeats what failed for a passing cause, as the SDK's retryer does
	Table  string    // laid out as TableDefinition says
	Now    func() time.Time
}

// DynamoDB is a Store in one DynamoDB table. Every write is conditional, and nothing else keeps order.
type DynamoDB struct{ DynamoDBConfig }

// NewDynamoDB returns a DynamoDB.
func NewDynamoDB(config DynamoDBConfig) *DynamoDB { return &DynamoDB{config} }

// Create implements Store.
func (d *DynamoDB) Create(ctx context.Context, job Job, takeover *Job) (Job, error) {
	if err := validate(job, takeover); err != nil {
		return Job{}, err
	}
	s := d.newStep()
	created, err := s.create(job)
	if err != nil {
		return Job{}, err
	}
	if takeover != nil {
		s.takeOnce(created, takeover.ID)
		if _, err := s.save(*takeover); err != nil {
			return Job{}, err
		}
	} else if job.Once != "" {
		s.putOnce(created)
	}
	reasons, err := s.commit(ctx)
	switch {
	case err != nil:
		return Job{}, fmt.Errorf("create job: %w", err)
	case reasons == nil:
		return created, nil
	case refused(reasons, stateAt) && s.wrote(reasons[stateAt].Item):
		return created, nil
	case refused(reasons, stateAt):
		return Job{}, ErrExists // before all else: the same request gets the same answer
	case takeover != nil:
		return Job{}, ErrConflict
	}
	return Job{}, &OnceError{Holder: row(reasons[onceAt].Item).text(attrHolder)}
}

// Save implements Store.
func (d *DynamoDB) Save(ctx context.Context, job Job, failures ...Failure) (Job, error) {
	if !possibleID(job.ID) {
		return Job{}, ErrNotFound
	}
	frees := job.State.Ended() && job.Once != ""
	s, saved, err := d.saving(job, failures, frees)
	if err != nil {
		return Job{}, err
	}
	reasons, err := s.commit(ctx)
	if err == nil && reasons != nil && !refused(reasons, stateAt) && frees {
		// Another job has taken the once key over: there is nothing to free.
		if s, saved, err = d.saving(job, failures, false); err != nil {
			return Job{}, err
		}
		reasons, err = s.commit(ctx)
	}
	if err != nil {
		return Job{}, fmt.Errorf("save job: %w", err)
	}
	if reasons == nil {
		return saved, nil
	}
	switch before := row(reasons[stateAt].Item); {
	case s.wrote(before):
		return saved, nil
	case !before.live(s.now):
		return Job{}, ErrNotFound
	}
	return Job{}, ErrConflict
}

// saving makes the step of a Save.
func (d *DynamoDB) saving(job Job, failures []Failure, frees bool) (*step, Job, error) {
	s := d.newStep()
	saved, err := s.save(job)
	if err != nil {
		return nil, Job{}, err
	}
	if err := s.putFailures(job.ID, failures); err != nil {
		return nil, Job{}, err
	}
	if frees {
		s.freeOnce(job)
	}
	return s, saved, nil
}

// Get implements Store.
func (d *DynamoDB) Get(ctx context.Context, id string) (Job, error) {
	state, err := d.state(ctx, id)
	if err != nil {
		return Job{}, fmt.Errorf("get job: %w", err)
	}
	return d.decode(state)
}

// state reads a STATE row; none is an empty one.
func (d *DynamoDB) state(ctx context.Context, id string) (row, error) {
	if !possibleID(id) {
		return nil, nil
	}
	answer, err := d.Client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &d.Table, Key: key(keyJob+id, rowState), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, err
	}
	return answer.Item, nil
}

// decode reads a STATE row.
func (d *DynamoDB) decode(state row) (Job, error) {
	if !state.live(d.Now()) {
		return Job{}, ErrNotFound
	}
	return decodeJob([]byte(state.text(attrJSON)))
}

// Load implements Store. One query reads both rows: in the order of their names, ITEMS and STATE are the last two.
func (d *DynamoDB) Load(ctx context.Context, id string) (Job, error) {
	if !possibleID(id) {
		return Job{}, ErrNotFound
	}
	answer, err := d.Client.Query(ctx, &dynamodb.QueryInput{
		TableName: &d.Table, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("pk = :pk AND sk BETWEEN :first AND :last"),
		ExpressionAttributeValues: row{":pk": text(keyJob + id), ":first": text(rowPayload), ":last": text(rowState)},
	})
	if err != nil {
		return Job{}, fmt.Errorf("load job: %w", err)
	}
	rows := map[string]row{}
	for _, r := range answer.Items {
		rows[row(r).text(attrSK)] = r
	}
	job, err := d.decode(rows[rowState])
	if err != nil {
		return Job{}, err
	}
	return decodePayload(job, []byte(rows[rowPayload].text(attrJSON)))
}

// Address is where DynamoDB answers for an account, "" if the SDK does not know: for a connection that is opened before
// the first request.
func Address(ctx context.Context, account aws.Config) string {
	parameters := dynamodb.EndpointParameters{Region: &account.Region, Endpoint: account.BaseEndpoint}
	endpoint, err := dynamodb.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, parameters)
	if err != nil {
		return ""
	}
	return endpoint.URI.String()
}
