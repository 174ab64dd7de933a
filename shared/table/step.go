package table

import (
	"context"
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Step is one atomic write in the making: actions that DynamoDB carries out together or not at all. Each has a place,
// from 0 on, in the order in which they were added.
type Step struct {
	Now time.Time // of the whole step, in UTC

	table   *Table
	writer  string
	actions []types.TransactWriteItem
}

// Len is the place of the next action.
func (s *Step) Len() int { return len(s.actions) }

// Step begins a write.
func (t *Table) Step() *Step {
	return &Step{Now: t.Now().UTC(), table: t, writer: rand.Text()}
}

// Condition must hold of the row that an action finds, or the step is refused. The zero value always holds.
type Condition struct {
	Expression string
	Values     Row
}

// Free holds where there is no row, or one whose time has ended and that DynamoDB has yet to remove.
func (s *Step) Free() Condition {
	return Condition{"attribute_not_exists(pk) OR expires <= :now", Row{":now": Seconds(s.Now)}}
}

// At holds where a row is at this version; at version 0 it is Free.
func (s *Step) At(version int64) Condition {
	if version == 0 {
		return s.Free()
	}
	return Condition{"version = :version AND expires > :now", Row{":version": Number(version), ":now": Seconds(s.Now)}}
}

// Stamp makes a row one of this step's: the record, its version and when it expires.
func (s *Step) Stamp(row Row, record []byte, version int64, expires time.Time) {
	row[JSON] = Text(string(record))
	row[Version] = Number(version)
	row[Writer] = Text(s.writer)
	row[Expires] = Seconds(expires)
}

// Wrote says that it was this step that made the row which now refuses it: it had been carried out, its answer was
// lost, and the SDK sent it again. (A transaction is recognised by its token as well, for ten minutes.)
func (s *Step) Wrote(before Row) bool { return before.Text(Writer) == s.writer }

// Put adds a row that replaces the one of its key.
func (s *Step) Put(row Row, condition Condition) {
	put := &types.Put{
		TableName: &s.table.Table, Item: row, ExpressionAttributeValues: condition.Values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if condition.Expression != "" {
		put.ConditionExpression = &condition.Expression
	}
	s.actions = append(s.actions, types.TransactWriteItem{Put: put})
}

// Rewrite adds the next version of a record whose row is at this version. Its other attributes stay as they are.
func (s *Step) Rewrite(pk, sk string, record []byte, version int64, expires time.Time) {
	values := Row{
		":json": Text(string(record)), ":next": Number(version + 1), ":writer": Text(s.writer), ":expires": Seconds(expires),
		":version": Number(version), ":now": Seconds(s.Now),
	}
	s.actions = append(s.actions, types.TransactWriteItem{Update: &types.Update{
		TableName: &s.table.Table, Key: Key(pk, sk),
		UpdateExpression:                    aws.String("SET json = :json, version = :next, writer = :writer, expires = :expires"),
		ConditionExpression:                 aws.String("version = :version AND expires > :now"),
		ExpressionAttributeValues:           values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}})
}

// Delete adds the removal of a row.
func (s *Step) Delete(pk, sk string, condition Condition) {
	s.actions = append(s.actions, types.TransactWriteItem{Delete: &types.Delete{
		TableName: &s.table.Table, Key: Key(pk, sk),
		ConditionExpression: &condition.Expression, ExpressionAttributeValues: condition.Values,
	}})
}

// Refusal says which actions of a step found a row for which their condition does not hold.
type Refusal struct{ reasons []types.CancellationReason }

// At returns the row that the action at a place found, and whether its condition refused it.
func (r *Refusal) At(place int) (before Row, refused bool) {
	if r == nil || place >= len(r.reasons) || aws.ToString(r.reasons[place].Code) != conditionFailed {
		return nil, false
	}
	return r.reasons[place].Item, true
}

// Codes of the reasons why a transaction was cancelled (API reference, "TransactWriteItems").
const (
	conditionFailed = "ConditionalCheckFailed"
	inTransaction   = "TransactionConflict" // the row is in another transaction just now
)

// Commit carries the step out. Neither a refusal nor an error means that it is done. After an error nobody knows whether
// it is. Transactions of others on the same rows are waited for: what they leave decides.
func (s *Step) Commit(ctx context.Context) (*Refusal, error) {
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
			return &Refusal{reasons}, nil
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

// send makes the one call of a try. Reasons come beside the error of a step that was refused as a whole. A step of one
// row, as most checkpoints are, is no transaction, which would cost twice as much.
func (s *Step) send(ctx context.Context) ([]types.CancellationReason, error) {
	var err error
	switch only := s.actions[0]; {
	case len(s.actions) == 1 && only.Update != nil:
		_, err = s.table.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: only.Update.TableName, Key: only.Update.Key,
			UpdateExpression: only.Update.UpdateExpression, ConditionExpression: only.Update.ConditionExpression,
			ExpressionAttributeValues:           only.Update.ExpressionAttributeValues,
			ReturnValuesOnConditionCheckFailure: only.Update.ReturnValuesOnConditionCheckFailure,
		})
	case len(s.actions) == 1 && only.Put != nil:
		_, err = s.table.Client.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: only.Put.TableName, Item: only.Put.Item, ConditionExpression: only.Put.ConditionExpression,
			ExpressionAttributeValues:           only.Put.ExpressionAttributeValues,
			ReturnValuesOnConditionCheckFailure: only.Put.ReturnValuesOnConditionCheckFailure,
		})
	default:
		_, err = s.table.Client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
			TransactItems: s.actions, ClientRequestToken: &s.writer,
		})
	}
	if cancelled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		return cancelled.CancellationReasons, err
	}
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return []types.CancellationReason{{Code: aws.String(conditionFailed), Item: failed.Item}}, err
	}
	if _, ok := errors.AsType[*types.TransactionConflictException](err); ok {
		return []types.CancellationReason{{Code: aws.String(inTransaction)}}, err
	}
	return nil, err
}
