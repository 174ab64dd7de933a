package jobs

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Failures implements Store.
func (d *DynamoDB) Failures(ctx context.Context, id string, limit int) ([]Failure, error) {
	var found []Failure
	var from values
	for {
		answer, err := d.Client.Query(ctx, &dynamodb.QueryInput{
			TableName: &d.Table, ConsistentRead: aws.Bool(true), ExclusiveStartKey: from,
			KeyConditionExpression:    aws.String("pk = :pk AND begins_with(sk, :sk)"),
			ExpressionAttributeValues: values{":pk": text(jobKey(id)), ":sk": text(rowFailures)},
		})
		if err != nil {
			return nil, fmt.Errorf("read failures: %w", err)
		}
		for _, row := range answer.Items {
			var chunk []Failure
			if err := json.Unmarshal([]byte(word(row[attrFailures])), &chunk); err != nil {
				return nil, fmt.Errorf("decode failures: %w", err)
			}
			found = append(found, chunk...)
			if limit > 0 && len(found) >= limit {
				return found[:limit], nil
			}
		}
		if from = answer.LastEvaluatedKey; len(from) == 0 {
			return found, nil
		}
	}
}

// List implements Store.
func (d *DynamoDB) List(ctx context.Context, query Query) ([]Job, string, error) {
	query, err := query.valid()
	if err != nil {
		return nil, "", err
	}
	index, pk, sk, key := indexOwner, attrOwnerPK, attrOwnerSK, query.Owner
	if query.Entity != "" {
		index, pk, sk, key = indexEntity, attrEntityPK, attrEntitySK, query.Entity
	}
	input := &dynamodb.QueryInput{
		TableName: &d.Table, IndexName: &index, ScanIndexForward: aws.Bool(false), Limit: aws.Int32(int32(query.Limit)),
		KeyConditionExpression: aws.String("#pk = :pk"), ExpressionAttributeNames: map[string]string{"#pk": pk},
		ExpressionAttributeValues: values{":pk": text(key)},
	}
	if !query.Before.IsZero() {
		*input.KeyConditionExpression += " AND #sk < :before"
		input.ExpressionAttributeNames["#sk"] = sk
		input.ExpressionAttributeValues[":before"] = text(sortKey(Job{CreatedAt: query.Before}))
	}
	if query.Cursor != "" {
		at, err := parseCursor(query.Cursor)
		if err != nil {
			return nil, "", err
		}
		input.ExclusiveStartKey = values{attrPK: text(jobKey(at.Job)), attrSK: text(rowState), pk: text(key), sk: text(at.Sort)}
	}
	answer, err := d.Client.Query(ctx, input)
	if err != nil {
		return nil, "", fmt.Errorf("list jobs: %w", err)
	}
	found := make([]Job, 0, len(answer.Items))
	for _, row := range answer.Items {
		job, err := d.read(row)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		found = append(found, job)
	}
	return found, nextCursor(answer.LastEvaluatedKey, sk), nil
}

// cursor names the last job of a page. The index key is not in it: it is the reader's own.
type cursor struct {
	Job  string `json:"j"`
	Sort string `json:"s"`
}

func nextCursor(last values, sk string) string {
	if len(last) == 0 {
		return ""
	}
	id := word(last[attrPK])[len(jobKey("")):]
	blob, err := json.Marshal(cursor{Job: id, Sort: word(last[sk])})
	if err != nil { // strings always marshal
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(blob)
}

func parseCursor(s string) (cursor, error) {
	var c cursor
	blob, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || json.Unmarshal(blob, &c) != nil || c.Job == "" || c.Sort == "" {
		return cursor{}, errCursor
	}
	return c, nil
}

// TableDefinition describes the table as template.yaml declares it: for tests and for tries against an emulator.
func TableDefinition(name string) *dynamodb.CreateTableInput {
	input := &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		KeySchema: keys(attrPK, attrSK),
	}
	for _, attribute := range []string{attrPK, attrSK, attrOwnerPK, attrOwnerSK, attrEntityPK, attrEntitySK} {
		input.AttributeDefinitions = append(input.AttributeDefinitions, types.AttributeDefinition{AttributeName: &attribute, AttributeType: types.ScalarAttributeTypeS})
	}
	for index, schema := range map[string][]types.KeySchemaElement{indexOwner: keys(attrOwnerPK, attrOwnerSK), indexEntity: keys(attrEntityPK, attrEntitySK)} {
		input.GlobalSecondaryIndexes = append(input.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(index), KeySchema: schema, Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		})
	}
	return input
}

func keys(hash, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{{AttributeName: aws.String(hash), KeyType: types.KeyTypeHash}, {AttributeName: aws.String(sort), KeyType: types.KeyTypeRange}}
}
