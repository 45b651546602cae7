// Package rules holds the rules of ddlsp, one file each. The doc comment of a
// rule is its page: what "ddlsp explain" prints and what docs/rules shows.
package rules

import (
	"sync"

	"github.com/ddlsp/ddlsp/analysis"
)

// All returns every rule in the order of their ids.
func All() []*analysis.Rule { return all }

var linter = sync.OnceValue(func() *analysis.Linter { return analysis.NewLinter(all) })

// Linter returns the linter with every rule.
func Linter() *analysis.Linter { return linter() }

// Lint judges one migration with every rule that the settings leave on.
func Lint(in analysis.Input) analysis.Result { return linter().Lint(in) }

// ByID returns a rule, or nil.
func ByID(id string) *analysis.Rule { return linter().Rule(id) }

// all is every rule, in the order of the ids.
var all = []*analysis.Rule{
	addingColumnWithVolatileDefault,
	addingExclusionConstraint,
	addingForeignKeyConstraint,
	addingPrimaryKeyConstraint,
	addingRequiredColumn,
	addingSerialOrIdentityColumn,
	addingStoredGeneratedColumn,
	addingUniqueConstraint,
	attachPartition,
	backfillInSchemaMigration,
	badSearchPathLiteral,
	badTimeoutValue,
	banJSON,
	changingColumnType,
	changingTypeOfUsedColumn,
	columnstoreAddColumn,
	columnstoreUnknownColumn,
	compressWithoutSegmentby,
	concurrentIndexIfNotExists,
	concurrentIndexInTransaction,
	concurrentIndexMultiStatement,
	concurrentIndexOnPartitionedTable,
	concurrentIndexWithoutMigrationLockOptOut,
	constraintMissingNotValid,
	continuousAggregateInTransaction,
	continuousAggregateUniqueIndex,
	continuousAggregateWithoutPolicy,
	createExtensionMissing,
	createHypertableOnExistingData,
	createPartitionOf,
	createTableForce,
	credentialsInMigration,
	deleteWithoutWhere,
	domainWithConstraint,
	downDoesNotUndoUp,
	downWrongOrder,
	dropCascade,
	dropColumn,
	dropDatabase,
	dropIndexConcurrentlyMultiple,
	dropSchema,
	dropTable,
	dropTypeWithoutIfUnused,
	duplicateColumn,
	duplicateMigrationVersion,
	ectoExecuteMultipleStatements,
	ectoFlushInChange,
	ectoIgnoredOption,
	ectoInvalidOption,
	emptyDownMigration,
	enumValueInSameTransaction,
	extensionInPublic,
	foreignKeyTypeMismatch,
	functionSearchPath,
	gooseAnnotation,
	grantToPublic,
	hypertableBlockingIndex,
	hypertableChunkInterval,
	hypertableConcurrentIndex,
	hypertableConstraintUsingIndex,
	hypertableDownOrder,
	hypertableDuplicateTimeIndex,
	hypertableForeignKey,
	hypertableMissingTimeIndex,
	hypertableTimestampType,
	hypertableUniqueMissingPartitionColumn,
	hypertableUnsupportedFeature,
	irreversibleChange,
	migrationFilename,
	migrationModuleName,
	missingDownMigration,
	missingUpMigration,
	modifyFromIncomplete,
	nonAtomicMigration,
	notValidNotSupported,
	orphanDownMigration,
	policyAlreadyExists,
	policyWindowOverlap,
	policyWithoutColumnstore,
	renameEnumValue,
	renameSchema,
	renamingColumn,
	renamingTable,
	requireConcurrentDetachPartition,
	requireConcurrentIndexCreation,
	requireConcurrentIndexDeletion,
	requireConcurrentRefreshMatview,
	requireConcurrentReindex,
	rowSecurityDisabled,
	securityDefinerSearchPath,
	sensitiveRLS,
	setLoggedUnlogged,
	setNullOnNotNullColumn,
	settingNotNull,
	sideEffectInChange,
	statementAfterAccessExclusive,
	statementCannotRunInTransaction,
	tableRewriteCommand,
	timescaledbCallForm,
	timescaledbDeprecatedAPI,
	transactionNesting,
	transactionPerChunkMisuse,
	truncate,
	truncateCascade,
	uncommittedTransaction,
	unknownRuleInSuppression,
	unparsableSQL,
	unreadableMigration,
	unusedSuppression,
	updateWithoutWhere,
	validateConstraintInSameTransaction,
}
