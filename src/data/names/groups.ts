/**
 * The names of classes of datasets that are learned in groups. ImageNet-R: the classes of ImageNet that it has, as OpenAI's prompts name them (through
 * LAION-AI/CLIP_benchmark, MIT); DomainNet: its own folders; CORe50: its ten kinds of things, five of each, as class-incremental code for CLIP writes them.
 */
import { packed } from "./packed.ts";

/** ImageNet-R: the WordNet number that its folder is called by, and the name. */
const imagenetR = packed(`
  n01443537 goldfish|n01484850 great white shark|n01494475 hammerhead shark|n01498041 stingray|n01514859 hen|n01518878 ostrich|n01531178 goldfinch|
  n01534433 junco|n01614925 bald eagle|n01616318 vulture|n01630670 smooth newt|n01632777 axolotl|n01644373 tree frog|n01677366 green iguana|
  n01694178 chameleon|n01748264 Indian cobra|n01770393 scorpion|n01774750 tarantula|n01784675 centipede|n01806143 peafowl|n01820546 lorikeet|
  n01833805 hummingbird|n01843383 toucan|n01847000 duck|n01855672 goose|n01860187 black swan|n01882714 koala|n01910747 jellyfish|n01944390 snail|
  n01983481 American lobster|n01986214 hermit crab|n02007558 flamingo|n02009912 great egret|n02051845 pelican|n02056570 king penguin|n02066245 grey whale|
  n02071294 killer whale|n02077923 sea lion|n02085620 Chihuahua|n02086240 Shih Tzu|n02088094 Afghan Hound|n02088238 Basset Hound|n02088364 Beagle|
  n02088466 Bloodhound|n02091032 Italian Greyhound|n02091134 Whippet|n02092339 Weimaraner|n02094433 Yorkshire Terrier|n02096585 Boston Terrier|
  n02097298 Scottish Terrier|n02098286 West Highland White Terrier|n02099601 Golden Retriever|n02099712 Labrador Retriever|n02102318 Cocker Spaniel|
  n02106030 collie|n02106166 Border Collie|n02106550 Rottweiler|n02106662 German Shepherd Dog|n02108089 Boxer|n02108915 French Bulldog|n02109525 St. Bernard|
  n02110185 Siberian Husky|n02110341 Dalmatian|n02110958 pug|n02112018 Pomeranian|n02112137 Chow Chow|n02113023 Pembroke Welsh Corgi|n02113624 Toy Poodle|
  n02113799 Standard Poodle|n02114367 grey wolf|n02117135 hyena|n02119022 red fox|n02123045 tabby cat|n02128385 leopard|n02128757 snow leopard|n02129165 lion|
  n02129604 tiger|n02130308 cheetah|n02134084 polar bear|n02138441 meerkat|n02165456 ladybug|n02190166 fly|n02206856 bee|n02219486 ant|n02226429 grasshopper|
  n02233338 cockroach|n02236044 praying mantis|n02268443 dragonfly|n02279972 monarch butterfly|n02317335 starfish|n02325366 cottontail rabbit|
  n02346627 porcupine|n02356798 fox squirrel|n02363005 beaver|n02364673 guinea pig|n02391049 zebra|n02395406 pig|n02398521 hippopotamus|n02410509 bison|
  n02423022 gazelle|n02437616 llama|n02445715 skunk|n02447366 badger|n02480495 orangutan|n02480855 gorilla|n02481823 chimpanzee|n02483362 gibbon|
  n02486410 baboon|n02510455 giant panda|n02526121 eel|n02607072 clownfish|n02655020 pufferfish|n02672831 accordion|n02701002 ambulance|
  n02749479 assault rifle|n02769748 backpack|n02793495 barn|n02797295 wheelbarrow|n02802426 basketball|n02808440 bathtub|n02814860 lighthouse|
  n02823750 beer glass|n02841315 binoculars|n02843684 birdhouse|n02883205 bow tie|n02906734 broom|n02909870 bucket|n02939185 cauldron|n02948072 candle|
  n02950826 cannon|n02951358 canoe|n02966193 carousel|n02980441 castle|n02992529 mobile phone|n03124170 cowboy hat|n03272010 electric guitar|
  n03345487 fire truck|n03372029 flute|n03424325 gas mask or respirator|n03452741 grand piano|n03467068 guillotine|n03481172 hammer|n03494278 harmonica|
  n03495258 harp|n03498962 hatchet|n03594945 jeep|n03602883 joystick|n03630383 lab coat|n03649909 lawn mower|n03676483 lipstick|n03710193 mailbox|
  n03773504 missile|n03775071 mitten|n03888257 parachute|n03930630 pickup truck|n03947888 pirate ship|n04086273 revolver|n04118538 rugby ball|
  n04133789 sandal|n04141076 saxophone|n04146614 school bus|n04147183 schooner|n04192698 shield|n04254680 soccer ball|n04266014 space shuttle|
  n04275548 spider web|n04310018 steam locomotive|n04325704 scarf|n04347754 submarine|n04389033 tank|n04409515 tennis ball|n04465501 tractor|
  n04487394 trombone|n04522168 vase|n04536866 violin|n04552348 military aircraft|n04591713 wine bottle|n07614500 ice cream|n07693725 bagel|n07695742 pretzel|
  n07697313 cheeseburger|n07697537 hot dog|n07714571 cabbage|n07714990 broccoli|n07718472 cucumber|n07720875 bell pepper|n07734744 mushroom|
  n07742313 Granny Smith apple|n07745940 strawberry|n07749582 lemon|n07753275 pineapple|n07753592 banana|n07768694 pomegranate|n07873807 pizza|
  n07880968 burrito|n07920052 espresso|n09472597 volcano|n09835506 baseball player|n10565667 scuba diver|n12267677 acorn
`);

/** The folders of ImageNet-R. */
export const imagenetRFolders: readonly string[] = imagenetR.map((line) => line.slice(0, 9));
/** ImageNet-R, in the order of its folders. */
export const imagenetRNames: readonly string[] = imagenetR.map((line) => line.slice(10));

/** DomainNet, with blanks; in the order of its labels, which have `t-shirt` behind `trumpet`. */
export const drawings = packed(`
  aircraft carrier|airplane|alarm clock|ambulance|angel|animal migration|ant|anvil|apple|arm|asparagus|axe|backpack|banana|bandage|barn|baseball|baseball bat|
  basket|basketball|bat|bathtub|beach|bear|beard|bed|bee|belt|bench|bicycle|binoculars|bird|birthday cake|blackberry|blueberry|book|boomerang|bottlecap|bowtie|
  bracelet|brain|bread|bridge|broccoli|broom|bucket|bulldozer|bus|bush|butterfly|cactus|cake|calculator|calendar|camel|camera|camouflage|campfire|candle|cannon|
  canoe|car|carrot|castle|cat|ceiling fan|cello|cell phone|chair|chandelier|church|circle|clarinet|clock|cloud|coffee cup|compass|computer|cookie|cooler|couch|
  cow|crab|crayon|crocodile|crown|cruise ship|cup|diamond|dishwasher|diving board|dog|dolphin|donut|door|dragon|dresser|drill|drums|duck|dumbbell|ear|elbow|
  elephant|envelope|eraser|eye|eyeglasses|face|fan|feather|fence|finger|fireplace|firetruck|fire hydrant|fish|flamingo|flashlight|flip flops|floor lamp|flower|
  flying saucer|foot|fork|frog|frying pan|garden|garden hose|giraffe|goatee|golf club|grapes|grass|guitar|hamburger|hammer|hand|harp|hat|headphones|hedgehog|
  helicopter|helmet|hexagon|hockey puck|hockey stick|horse|hospital|hot air balloon|hot dog|hot tub|hourglass|house|house plant|hurricane|ice cream|jacket|jail|
  kangaroo|key|keyboard|knee|knife|ladder|lantern|laptop|leaf|leg|lighter|lighthouse|lightning|light bulb|line|lion|lipstick|lobster|lollipop|mailbox|map|
  marker|matches|megaphone|mermaid|microphone|microwave|monkey|moon|mosquito|motorbike|mountain|mouse|moustache|mouth|mug|mushroom|nail|necklace|nose|ocean|
  octagon|octopus|onion|oven|owl|paintbrush|paint can|palm tree|panda|pants|paper clip|parachute|parrot|passport|peanut|pear|peas|pencil|penguin|piano|
  pickup truck|picture frame|pig|pillow|pineapple|pizza|pliers|police car|pond|pool|popsicle|postcard|potato|power outlet|purse|rabbit|raccoon|radio|rain|
  rainbow|rake|remote control|rhinoceros|rifle|river|rollerskates|roller coaster|sailboat|sandwich|saw|saxophone|school bus|scissors|scorpion|screwdriver|
  sea turtle|see saw|shark|sheep|shoe|shorts|shovel|sink|skateboard|skull|skyscraper|sleeping bag|smiley face|snail|snake|snorkel|snowflake|snowman|soccer ball|
  sock|speedboat|spider|spoon|spreadsheet|square|squiggle|squirrel|stairs|star|steak|stereo|stethoscope|stitches|stop sign|stove|strawberry|streetlight|
  string bean|submarine|suitcase|sun|swan|sweater|swing set|sword|syringe|table|teapot|teddy-bear|telephone|television|tennis racquet|tent|The Eiffel Tower|
  The Great Wall of China|The Mona Lisa|tiger|toaster|toe|toilet|tooth|toothbrush|toothpaste|tornado|tractor|traffic light|train|tree|triangle|trombone|truck|
  trumpet|t-shirt|umbrella|underwear|van|vase|violin|washing machine|watermelon|waterslide|whale|wheel|windmill|wine bottle|wine glass|wristwatch|yoga|zebra|
  zigzag
`);

const kindsOfObjects = ["plug adapter", "mobile phone", "scissor", "light bulb", "can", "glass", "ball", "marker", "cup", "remote control"];
/** CORe50: objects 1 to 50, five of a kind. */
export const objects: readonly string[] = kindsOfObjects.flatMap((kind) => [1, 2, 3, 4, 5].map((n) => `${kind}${n}`));
/** The folders of CORe50, in the same order. */
export const objectFolders: readonly string[] = objects.map((_, i) => `o${i + 1}`);
