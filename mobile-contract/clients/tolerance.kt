// Reads and writes with the generated Kotlin classes, and compiles only while the main path keeps its names.
//   ToleranceKt read < vectors/tolerance.json    each case as the class of its schema, written out again as JSON
//   ToleranceKt write                            requests with nothing but what is required
import healthbook.client.infrastructure.Serializer
import healthbook.client.models.AccessApproval
import healthbook.client.models.BookItem
import healthbook.client.models.ChangePage
import healthbook.client.models.InboxPage
import healthbook.client.models.Problem
import healthbook.client.models.RuleBody
import healthbook.client.models.SignedAct
import kotlinx.serialization.KSerializer
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

// What was left out stays out of the request: the service fills it in, and refuses null where it expects a list.
private val json = Serializer.run {
    kotlinxSerializationJsonConfiguration = { encodeDefaults = false }
    kotlinxSerializationJson
}

private fun <T> again(serializer: KSerializer<T>, body: JsonElement): JsonElement =
    json.encodeToJsonElement(serializer, json.decodeFromJsonElement(serializer, body))

private fun read(case: JsonObject): JsonElement {
    val input = case.getValue("input").jsonObject
    val body = input.getValue("body")
    return when (val schema = input.getValue("schema").jsonPrimitive.content) {
        "BookItem" -> again(BookItem.serializer(), body)
        "ChangePage" -> again(ChangePage.serializer(), body)
        "InboxPage" -> again(InboxPage.serializer(), body)
        "Problem" -> again(Problem.serializer(), body)
        else -> error("no class is named for $schema")
    }
}

private fun least(): JsonObject = buildJsonObject {
    put("RuleBody", json.encodeToJsonElement(RuleBody.serializer(), rule()))
    put("AccessApproval", json.encodeToJsonElement(AccessApproval.serializer(), approval()))
}

// In form alone: nobody signed it.
private val NONCE = "A".repeat(22)
private val SIGNATURE = "A".repeat(86)

private fun rule() = RuleBody(
    kind = RuleBody.Kind.entries.first { it.value == "heart-rate" },
    direction = RuleBody.Direction.high,
    unit = "bpm",
    warn = 110.0,
)

private fun approval() = AccessApproval(
    tier = AccessApproval.Tier.A,
    secret = "123456",
    types = listOf(AccessApproval.Types.entries.first()),
    since = null,
    until = null,
    durationSeconds = 3600,
    signed = SignedAct(nonce = NONCE, iat = 1_790_000_000, exp = 1_790_000_300, signature = SIGNATURE),
)

fun main(arguments: Array<String>) {
    if (arguments.first() == "write") return println(least())
    val vectors = json.parseToJsonElement(generateSequence(::readLine).joinToString("\n")).jsonObject
    val cases = vectors.getValue("cases").jsonArray.map { it.jsonObject }
    println(JsonObject(cases.associate { it.getValue("name").jsonPrimitive.content to read(it) }))
}
