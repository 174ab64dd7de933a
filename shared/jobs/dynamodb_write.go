package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// step is one atomic write in the making: some actions that DynamoDB carries out together or not at all.
type step struct {
	store   *DynamoDB
	now     time.Time
	writer  string
	actions []types.TransactWriteItem
}

// Places of actions in a step.
const (
	stateAt = 0 // of the job itself: every step has it
	onceAt  = 2 // of the once key in a Create, after the payload
)

// Rows that are written once outlive the record, whose life begins anew with every write.
const onceWrittenLife = 2 * Life

func (d *DynamoDB) newStep() *step {
	return &step{store: d, now: d.Now().UTC(), writer: rand.Text()}
}

// wrote says that it was this step that made the row which now refuses it: it had been carried out, its answer was
// lost, and the SDK sent it again. (A transaction is recognised by its token as well, for ten minutes.)
func (s *step) wrote(before row) bool { return before.text(attrWriter) == s.writer }

// create adds the rows of a new job.
func (s *step) create(job Job) (Job, error) {
	job.Version = 0
	created, blob, err := encodeNext(job, s.now)
	if err != nil {
		return Job{}, err
	}
	payload, err := encodePayload(job)
	if err != nil {
		return Job{}, err
	}
	state := key(keyJob+job.ID, rowState)
	state[attrJSON] = text(string(blob))
	state[attrVersion] = number(created.Version)
	state[attrWriter] = text(s.writer)
	state[attrBorn] = seconds(s.now)
	state[attrExpires] = seconds(created.ExpiresAt)
	if owner := Owner(job.PIM, job.User.UUID); owner != "" {
		state[attrOwnerPK], state[attrOwnerSK] = text(owner), text(sortKey(created.CreatedAt, job.ID))
	}
	if entity := job.entity(); entity != "" {
		state[attrEntityPK], state[attrEntitySK] = text(entity), text(sortKey(created.CreatedAt, job.ID))
	}
	s.put(state, "attribute_not_exists(pk) OR expires <= :now", row{":now": seconds(s.now)})

	rest := key(keyJob+job.ID, rowPayload)
	rest[attrJSON] = text(string(payload))
	rest[attrExpires] = seconds(s.now.Add(onceWrittenLife))
	s.put(rest, "", nil)
	return created, nil
}

// putOnce adds the once key, if no other job holds it. Its time ends no later than that of its job: a key whose
// holder is gone would keep everyone out.
func (s *step) putOnce(job Job) {
	s.put(s.once(job), "attribute_not_exists(pk) OR expires <= :now OR holder = :self",
		row{":now": seconds(s.now), ":self": text(job.ID)})
}

// takeOnce adds the once key, if that holder has it.
func (s *step) takeOnce(job Job, holder string) {
	s.put(s.once(job), "holder = :holder", row{":holder": text(holder)})
}

func (s *step) once(job Job) row {
	r := key(keyOnce+job.Once, rowOnce)
	r[attrHolder] = text(job.ID)
	r[attrExpires] = seconds(job.ExpiresAt)
	return r
}

// freeOnce adds the removal of a once key, unless another job holds it.
func (s *step) freeOnce(job Job) {
	s.actions = append(s.actions, types.TransactWriteItem{Delete: &types.Delete{
		TableName: &s.store.Table, Key: key(keyOnce+job.Once, rowOnce),
		ConditionExpression:       aws.String("attribute_not_exists(pk) OR holder = :self"),
		ExpressionAttributeValues: row{":self": text(job.ID)},
	}})
}

// save adds the next version of a job, if the stored one is as it was read. Index keys stay as they are.
func (s *step) save(job Job) (Job, error) {
	saved, blob, err := encodeNext(job, s.now)
	if err != nil {
		return Job{}, err
	}
	s.actions = append(s.actions, types.TransactWriteItem{Update: &types.Update{
		TableName: &s.store.Table, Key: key(keyJob+job.ID, rowState),
		UpdateExpression:    aws.String("SET json = :json, version = :next, writer = :writer, expires = :expires"),
		ConditionExpression: aws.String("version = :version AND expires > :now"),
		ExpressionAttributeValues: row{
			":json": text(string(blob)), ":next": number(saved.Version), ":writer": text(s.writer),
			":expires": seconds(saved.ExpiresAt), ":version": number(job.Version), ":now": seconds(s.now),
		},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}})
	return saved, nil
}

// putFailures adds rows of failures. They need no condition: those of a batch come with its checkpoint, so once.
func (s *step) putFailures(id string, failures []Failure) error {
	for _, chunk := range failureRows(failures) {
		blob, err := encode(chunk)
		if err != nil {
			return fmt.Errorf("encode failures: %w", err)
		}
		r := key(keyJob+id, fmt.Sprintf("%s%05d", rowFailures, chunk[0].Index))
		r[attrJSON] = text(string(blob))
		r[attrExpires] = seconds(s.now.Add(onceWrittenLife))
		s.put(r, "", nil)
	}
	return nil
}

func (s *step) put(r row, condition string, values row) {
	put := &types.Put{
		TableName: &s.store.Table, Item: r, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if condition != "" {
		put.ConditionExpression = &condition
	}
	s.actions = append(s.actions, types.TransactWriteItem{Put: put})
}

// commit carries the step out. Reasons say which conditions refused it, by place of the action; no reasons and no
// error mean that it is done. Transactions of others on the same rows are waited for: what they leave decides.
func (s *step) commit(ctx context.Context) ([]types.CancellationReason, error) {
	const tries, pause = 6, 20 * time.Millisecond
	for try := 1; ; try++ {
		reasons, err := s.send(ctx)
		var condition, passing bool
		for _, reason := range reasons {
			switch aws.ToString(reason.Code) {
			case conditionFailed:
				condition = true
			case inTransaction, "ThrottlingError", "ProvisionedThroughputExceeded":
				passing = true
			}
		}
		switch {
		case condition && !passing:
			return reasons, nil
		case !passing || try == tries:
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause<<try/4 + mathrand.N(pause<<try/2)):
		}
	}
}

// send makes the one call of a try. Reasons come beside the error of a step that was refused as a whole.
func (s *step) send(ctx context.Context) ([]types.CancellationReason, error) {
	if len(s.actions) == 1 && s.actions[0].Update != nil {
		return s.update(ctx, s.actions[0].Update)
	}
	_, err := s.store.Client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		TransactItems: s.actions, ClientRequestToken: &s.writer,
	})
	if cancelled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		return cancelled.CancellationReasons, err
	}
	return nil, err
}

// update is a step of one row, as most checkpoints are: a transaction would cost twice as much.
func (s *step) update(ctx context.Context, u *types.Update) ([]types.CancellationReason, error) {
	_, err := s.store.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: u.TableName, Key: u.Key,
		UpdateExpression: u.UpdateExpression, ConditionExpression: u.ConditionExpression,
		ExpressionAttributeValues:           u.ExpressionAttributeValues,
		ReturnValuesOnConditionCheckFailure: u.ReturnValuesOnConditionCheckFailure,
	})
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return []types.CancellationReason{{Code: aws.String(conditionFailed), Item: failed.Item}}, err
	}
	if _, ok := errors.AsType[*types.TransactionConflictException](err); ok {
		return []types.CancellationReason{{Code: aws.String(inTransaction)}}, err
	}
	return nil, err
}
